// One segment file, mapped for writing. Internal to the journal's writer.
//
// Thread contract: `create` and `open` on the start-up or the syncing thread; the appending thread
// writes records and, once, the activation; `sync`, `mark` and `seal` belong to the syncing thread.
// Who owns what when is argued in journal.hpp. Invariants:
//  1. A segment appears under its name only when it is whole on disk: reserved (posix_fallocate),
//  filled
//     with zeros so that its blocks are real, header written, synced, renamed, folder synced. A
//     full disk is therefore an error of `create`, never a SIGBUS or a stall at an append.
//  2. Its pages are dirtied in the page table before the first append: no fault on the first touch.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/storage/journal_format.hpp"

namespace sluice {

// The system calls that may fail for reasons of the machine; tests put failing ones in.
struct StorageCalls {
  int (*allocate)(int fd, off_t offset, off_t bytes);  // posix_fallocate: returns errno's value
  int (*sync_range)(void* begin, std::size_t bytes);   // msync(MS_SYNC): -1 and errno
  int (*sync_file)(int fd);                            // fdatasync: -1 and errno
  [[nodiscard]] static StorageCalls system() noexcept;
};

class Segment {
 public:
  // Makes a spare segment. Returns nullptr with `error` = errno's value, and leaves no file behind.
  [[nodiscard]] static std::unique_ptr<Segment> create(const std::string& dir,
                                                       SegmentIdentity identity,
                                                       const StorageCalls& calls,
                                                       int& error) noexcept;
  // Maps an existing one whose header was verified, to go on at `tail`. Same errors.
  [[nodiscard]] static std::unique_ptr<Segment> open(const std::string& path,
                                                     const SegmentIdentity& identity,
                                                     std::uint64_t tail, const StorageCalls& calls,
                                                     int& error) noexcept;
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  [[nodiscard]] const SegmentIdentity& identity() const noexcept { return identity_; }
  [[nodiscard]] std::uint32_t identity_crc() const noexcept { return identity_.crc; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::byte* data() const noexcept { return data_; }

  // Appending thread, before the segment's first record.
  void activate(std::uint64_t first_position, std::uint32_t previous_crc) noexcept;

  // The end of the last whole record. release/acquire: a reader of `tail` sees the bytes before it.
  void publish_tail(std::uint64_t tail) noexcept { tail_.store(tail, std::memory_order_release); }
  [[nodiscard]] std::uint64_t tail() const noexcept {
    return tail_.load(std::memory_order_acquire);
  }

  // Written by the appending thread before it leaves the segment (the store that announces the next
  // one orders it), read by the syncing thread for the seal.
  struct Last {
    std::uint64_t position{0};
    std::uint32_t crc{0};
  };
  void set_last(Last last) noexcept { last_ = last; }

  // Makes all bytes below `tail` durable, the header too when something in it waits. Returns 0 or
  // errno.
  [[nodiscard]] int sync(std::uint64_t tail) noexcept;
  // States in the header that `position` is durable. Reaches the disk with a later sync.
  void mark(std::uint64_t position) noexcept;
  // Makes the newest mark durable now. Returns 0 or errno.
  [[nodiscard]] int sync_header() noexcept;
  // The segment will never change again. Only after sync(tail()) returned 0. Returns 0 or errno.
  [[nodiscard]] int seal() noexcept;

 private:
  Segment(std::string path, const SegmentIdentity& identity, const StorageCalls& calls) noexcept
      : path_(std::move(path)), identity_(identity), calls_(calls) {}
  [[nodiscard]] int map(int fd) noexcept;
  template <class Part>
  void store_part(std::size_t offset, Part part) noexcept;

  std::string path_;
  SegmentIdentity identity_;
  StorageCalls calls_;
  std::byte* data_{nullptr};
  std::atomic<std::uint64_t> tail_{kSegmentHeaderBytes};
  Last last_{};
  // The syncing thread's.
  std::uint64_t synced_{0};  // bytes below are durable; 0: the header is not yet
  std::uint64_t marks_{0};
  std::uint64_t marks_synced_{0};
};

}  // namespace sluice
