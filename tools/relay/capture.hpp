// The capture file: every byte that crossed the relay, in the order in which the relay read it.
//
// Integers are little-endian. The file begins with 16 bytes: magic "SLUCAPT1", u32 version (1), u32
// record header size (24). Then records, each a header of 24 bytes and `length` bytes of payload:
//
//   offset  bytes
//        0      4  magic 0x52434c53 ("SLCR")
//        4      4  length of the payload, at most kCapturePayloadMax
//        8      8  wall_ns: UTC nanoseconds when the relay read the chunk
//       16      4  connection: 1, 2, … in the order of acceptance, never reused
//       20      1  route: index of the --route on the command line
//       21      1  direction of the bytes: 0 client to server, 1 server to client
//       22      1  event, see CaptureEvent
//       23      1  reserved, zero
//
// Invariants:
//   1. A chunk stands in the file before its first byte is forwarded: whatever the other side
//   received
//      is in the capture, even if the relay is killed at that moment.
//   2. Per connection: open, then data / end / reset. After `end` of a direction it has no more
//   data;
//      after `reset` the connection has no more records.
//   3. Nothing is buffered here; a file cut anywhere but inside its last record is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

namespace sluice::relay {

inline constexpr char kCaptureMagic[8] = {'S', 'L', 'U', 'C', 'A', 'P', 'T', '1'};
inline constexpr std::uint32_t kCaptureVersion = 1;
inline constexpr std::uint32_t kCaptureRecordMagic = 0x5243'4c53;
inline constexpr std::size_t kCapturePayloadMax = 256 * 1024;

enum class CaptureEvent : std::uint8_t {
  kOpen = 1,   // a client was accepted; payload: the route's name
  kData = 2,   // payload: the bytes
  kEnd = 3,    // the sender of this direction closed it in order (FIN)
  kReset = 4,  // the sender of this direction reset the connection, or could not be reached;
               // payload: why
};

struct CaptureFileHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t record_header_bytes;
};
static_assert(sizeof(CaptureFileHeader) == 16);

struct CaptureHeader {
  std::uint32_t magic;
  std::uint32_t length;
  std::int64_t wall_ns;
  std::uint32_t connection;
  std::uint8_t route;
  std::uint8_t direction;
  CaptureEvent event;
  std::uint8_t reserved;
};
static_assert(sizeof(CaptureHeader) == 24 &&
                  std::has_unique_object_representations_v<CaptureHeader>,
              "the file format: bump kCaptureVersion");

// Which connection and which way; the other fields of a record follow from the call.
struct CaptureKey {
  std::uint32_t connection;
  std::uint8_t route;
  std::uint8_t direction;
};

class CaptureWriter {
 public:
  // Creates or truncates the file. Throws Error(kResource).
  explicit CaptureWriter(const std::string& path);
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;
  ~CaptureWriter();

  // Throws Error(kResource) when the record cannot be written whole (no space, a limit, a bad
  // disk): without its capture the relay must not go on.
  void append(const CaptureKey& key, CaptureEvent event, std::span<const char> payload);

 private:
  std::string path_;
  int fd_;
};

}  // namespace sluice::relay
