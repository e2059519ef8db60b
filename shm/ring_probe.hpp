// RingProbe: a tool's view of a ring. Maps both files read-only, needs no role, and works on a
// layout whose processes are dead.
//
// The reading itself stands in ring_reader.hpp.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "shm/ring.hpp"
#include "shm/ring_reader.hpp"

namespace sluice::shm {

class RingProbe {
 public:
  RingProbe(const Instance& instance, const std::string& ring);
  RingProbe(const std::string& dir, const std::string& ring);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::string producer() const;
  [[nodiscard]] std::string consumer() const;
  [[nodiscard]] std::uint64_t slots() const noexcept { return mapping_.capacity(); }
  [[nodiscard]] std::uint32_t payload_bytes() const noexcept;
  [[nodiscard]] RingPolicy policy() const noexcept { return mapping_.policy(); }
  [[nodiscard]] std::uint64_t schema_hash() const noexcept { return mapping_.header.schema_hash; }
  // Either file was found shorter than its mapping: zeros stand where bytes are missing.
  [[nodiscard]] bool hostile() const noexcept {
    return mapping_.data.hostile() || mapping_.cursor.hostile();
  }

  // Next position to publish (a hint), and first position not released.
  [[nodiscard]] std::uint64_t tail() const noexcept { return reader().tail(); }
  [[nodiscard]] std::uint64_t cursor() const noexcept { return reader().cursor(); }
  [[nodiscard]] std::uint64_t messages() const noexcept;  // published since creation
  // Published and not released, a slot stamped just behind the hint included. More than slots():
  // the peers are broken.
  [[nodiscard]] std::uint64_t depth() const noexcept { return reader().depth(); }
  // The largest depth known: seen by the producer whenever it re-read the cursor (so always when
  // full), by the consumer as a batch, and by this call. Between those a peak can pass unseen.
  [[nodiscard]] std::uint64_t depth_max() const noexcept;
  [[nodiscard]] std::uint64_t drops() const noexcept;
  [[nodiscard]] std::uint64_t gaps() const noexcept;       // gap records told
  [[nodiscard]] std::uint64_t snapshots() const noexcept;  // snapshot records told
  [[nodiscard]] std::uint64_t owed() const noexcept;       // rows whose snapshot is still owed
  [[nodiscard]] std::uint64_t broken_peer() const noexcept;
  [[nodiscard]] std::uint64_t refused() const noexcept;  // by the consumer, as nonsense
  [[nodiscard]] bool detached()
      const noexcept;  // the consumer takes nothing more from the producer
  // The producer's or the consumer's file was cut short; what they would say reads as zero.
  [[nodiscard]] bool data_hostile() const noexcept { return mapping_.data.hostile(); }
  [[nodiscard]] bool cursor_hostile() const noexcept { return mapping_.cursor.hostile(); }

  // Copies the record at `position` without disturbing anybody. False when it is not published,
  // gone, or may have been overwritten while it was copied.
  template <class R>
  [[nodiscard]] bool read(std::uint64_t position, R& copy) const noexcept {
    typename RingRecord<R>::Words words;
    // Both: a spoilt header may name this record's type beside slots that are too small for it.
    if (mapping_.header.schema_hash != RingRecord<R>::kSchema ||
        payload_bytes() != RingRecord<R>::kBytes)
      return false;
    if (!reader().read(position, words.data(), words.size()))
      return false;
    copy = std::bit_cast<R>(words);
    return true;
  }
  // The oldest position that read() may still find.
  [[nodiscard]] std::uint64_t oldest() const noexcept { return reader().oldest(); }

 private:
  [[nodiscard]] RingReaderCore<StdAtomics> reader() const noexcept;

  std::string name_;
  RingMapping mapping_;
};

}  // namespace sluice::shm
