// The floor: one integer per cache line, walked in order: one line each way, and nothing else.
#pragma once

#include "bench/rings/link.hpp"
#include "shm/atomics.hpp"

namespace sluice::bench {

class FloorLink {
  static constexpr std::uint64_t kLines = 4'096;
  static constexpr std::uint64_t kReleaseEvery = 256;
  using Atomics = shm::StdAtomics;
  struct alignas(shm::kCacheLine) Line {
    Atomics::Word word{0};
  };
  struct Way {
    std::array<Line, kLines> lines;
    Line cursor;
  };

 public:
  using Message = bench::Message<1>;
  static constexpr const char* kName = "floor";
  static constexpr Party kParty = Party::kProcess;
  static constexpr bool kPolls = true;

  class Side {
   public:
    Side(Way& out, Way& in) noexcept : out_(out), in_(in) {}
    bool try_send(const Message& message) noexcept {
      if (sent_ - cursor_ >= kLines) {
        cursor_ = Atomics::load_acquire(out_.cursor.word);
        if (sent_ - cursor_ >= kLines)
          return false;
      }
      Atomics::store_release(out_.lines[sent_ % kLines].word, message.number + 1);
      ++sent_;
      return true;
    }
    void flush() noexcept {}
    template <class F>
    std::size_t receive(F&& fn) noexcept {
      if (Atomics::load_acquire(in_.lines[taken_ % kLines].word) != taken_ + 1)
        return 0;
      fn(Message::of(taken_));
      if (++taken_ % kReleaseEvery == 0)
        Atomics::store_release(in_.cursor.word, taken_);
      return 1;
    }

   private:
    Way& out_;
    Way& in_;
    std::uint64_t sent_{0};
    std::uint64_t cursor_{0};
    std::uint64_t taken_{0};
  };

  [[nodiscard]] Side open(End end) noexcept {
    return end == End::kParent ? Side(there_.get(), back_.get()) : Side(back_.get(), there_.get());
  }

 private:
  Shared<Way> there_;
  Shared<Way> back_;
};

}  // namespace sluice::bench
