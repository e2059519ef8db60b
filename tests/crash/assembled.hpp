// The shipped cores of ring and board, put together with an atomics policy and a recovery of the
// test's choice: how one steps a recovery alone, and how mutants are made of shipped code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "shm/board.hpp"
#include "shm/layout_files.hpp"
#include "shm/ring.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {

// Both files of a ring of OneLine, mapped as its producer maps them; nothing is recovered yet.
struct ProducerFiles {
  ProducerFiles(const Instance& instance, const std::string& ring)
      : data(attach_segment(instance, ring_data_file(ring),
                            {.kind = SegmentKind::kRingData, .name = ring},
                            Region::Access::kReadWrite)),
        cursor(attach_segment(instance, ring_cursor_file(ring),
                              {.kind = SegmentKind::kRingCursor, .name = ring},
                              Region::Access::kReadOnly)) {}
  Segment data;
  Segment cursor;
};

struct ShippedRecovery {
  [[nodiscard]] static std::uint64_t tail(std::uint64_t* slots, std::size_t slot_words,
                                          std::uint64_t capacity, std::uint64_t initial,
                                          std::uint64_t hint, std::uint64_t cursor) {
    const TailRecovery found =
        recover_tail<StdAtomics>(slots, slot_words, capacity, initial, hint, cursor);
    if (!found.sound)
      throw Error(ExitCode::kResource, "the ring contradicts itself");
    return found.tail;
  }
};

template <class Atomics, class Recovery>
class AssembledProducer {
  using Record = RingRecord<OneLine>;
  using Core = RingProducerCore<Atomics, Record::kWords>;

 public:
  AssembledProducer(const Instance& instance, const std::string& ring)
      : AssembledProducer(ProducerFiles(instance, ring)) {}
  explicit AssembledProducer(ProducerFiles&& files)
      : files_(std::move(files)), core_(make_core(files_)) {}

  [[nodiscard]] bool try_push(const OneLine& record) noexcept {
    return core_.try_push(std::bit_cast<typename Record::Words>(record));
  }
  [[nodiscard]] bool try_stage(const OneLine& record) noexcept {
    return core_.try_stage(std::bit_cast<typename Record::Words>(record));
  }
  void publish() noexcept { core_.publish(); }
  [[nodiscard]] std::uint64_t tail() const noexcept { return core_.tail(); }

 private:
  static Core make_core(const ProducerFiles& files) {
    const SegmentHeader& header = files.data.header;
    auto* const slots = files.data.region.at<std::uint64_t>(kRingSlotsOffset);
    auto* const own = files.data.region.at<ProducerWords<Atomics>>(kRingWordsOffset);
    const auto* const peer = files.cursor.region.at<const ConsumerWords<Atomics>>(kRingWordsOffset);
    const std::uint64_t tail =
        Recovery::tail(slots, header.element_bytes / sizeof(std::uint64_t), header.elements,
                       header.initial_sequence, own->tail, peer->cursor);
    return Core(slots, own, peer, header.elements, tail);
  }

  ProducerFiles files_;
  Core core_;
};

// A board of FourLines.
template <class Atomics>
class AssembledWriter {
  using Record = BoardRecord<FourLines>;

 public:
  AssembledWriter(const Instance& instance, const std::string& board)
      : segment_(attach_board(instance, board, kSchemaHash<FourLines>, sizeof(FourLines),
                              Region::Access::kReadWrite)) {}
  void store(std::uint32_t row, const FourLines& value) noexcept {
    BoardCore<Atomics, Record::kWords>::store(
        segment_.region.at<std::uint64_t>(kBoardRowsOffset) + row * Record::kRowWords,
        std::bit_cast<typename Record::Words>(value));
  }

 private:
  Segment segment_;
};

// --- mutants -------------------------------------------------------------------------------------

// Exchanges two neighbouring release stores: the `first`-th after arm(first) comes after the next.
struct SwappedStores : StdAtomics {
  static void arm(std::uint64_t first) noexcept {
    first_ = first;
    count_ = 0;
  }
  static void store_release(Word& word, std::uint64_t value, Sync sync = Sync::kUnnamed) noexcept {
    ++count_;
    if (count_ == first_) {
      held_ = &word;
      held_value_ = value;
      return;
    }
    StdAtomics::store_release(word, value, sync);
    if (held_ != nullptr)
      StdAtomics::store_release(*std::exchange(held_, nullptr), held_value_);
  }

 private:
  inline static std::uint64_t first_{0};
  inline static std::uint64_t count_{0};
  inline static Word* held_{nullptr};
  inline static std::uint64_t held_value_{0};
};
template <class Operate>
struct WithSwapAt {
  std::uint64_t first;
  Operate operate;
  template <class End, class Dying>
  void operator()(End& end, Dying& dying) const {
    SwappedStores::arm(first);
    operate(end, dying);
  }
};

// A board's writer that takes the version it finds for the one before.
struct OneVersionAhead : StdAtomics {
  static std::uint64_t load_relaxed(const Word& word) noexcept {
    return StdAtomics::load_relaxed(word) + 1;
  }
};

struct TrustsTheHint {
  [[nodiscard]] static std::uint64_t tail(std::uint64_t*, std::size_t, std::uint64_t, std::uint64_t,
                                          std::uint64_t hint, std::uint64_t) noexcept {
    return hint;
  }
};

// Advances over what is published, and leaves later stamps of this lap where they are.
struct LeavesLaterStamps {
  [[nodiscard]] static std::uint64_t tail(const std::uint64_t* slots, std::size_t slot_words,
                                          std::uint64_t capacity, std::uint64_t, std::uint64_t hint,
                                          std::uint64_t) noexcept {
    while (slots[(hint & (capacity - 1)) * slot_words] == stamp_of(hint))
      ++hint;
    return hint;
  }
};

}  // namespace sluice::shm::test
