// boost::lockfree::spsc_queue with its capacity fixed at compile time, which is the form its
// authors allow in memory that processes share. kBatch 1: push(x), and consume_all(f), which takes
// all there is where it lies and gives it back in one store; else push and pop of arrays of kBatch.
#pragma once

#include <boost/lockfree/spsc_queue.hpp>

#include "bench/rings/link.hpp"

namespace sluice::bench {

template <std::size_t kWords, std::size_t kSlots, std::size_t kBatch>
class BoostLink {
 public:
  using Message = bench::Message<kWords>;
  using Queue = boost::lockfree::spsc_queue<Message, boost::lockfree::capacity<kSlots>>;
  static constexpr const char* kName = kBatch == 1 ? "boost" : "boost_batched";
  static constexpr Party kParty = Party::kProcess;
  static constexpr bool kPolls = true;

  class Side {
   public:
    Side(Queue& out, Queue& in) noexcept : out_(out), in_(in) {}
    bool try_send(const Message& message) noexcept {
      if constexpr (kBatch == 1)
        return out_.push(message);
      if (staged_ == kBatch && !push_staged())
        return false;
      outgoing_[staged_++] = message;
      if (staged_ == kBatch)
        static_cast<void>(push_staged());
      return true;
    }
    void flush() noexcept {
      while (staged_ != 0 && !push_staged())
        __builtin_ia32_pause();
    }
    template <class F>
    std::size_t receive(F&& fn) noexcept {
      if constexpr (kBatch == 1)
        return in_.consume_all(fn);
      const std::size_t taken = in_.pop(incoming_.data(), kBatch);
      for (std::size_t i = 0; i < taken; ++i)
        fn(incoming_[i]);
      return taken;
    }

   private:
    // True when room was made: what did not fit moves to the front.
    bool push_staged() noexcept {
      const std::size_t pushed = out_.push(outgoing_.data(), staged_);
      for (std::size_t i = pushed; i < staged_ && pushed != 0; ++i)
        outgoing_[i - pushed] = outgoing_[i];
      staged_ -= pushed;
      return pushed != 0;
    }

    Queue& out_;
    Queue& in_;
    std::array<Message, kBatch> outgoing_{};
    std::array<Message, kBatch> incoming_{};
    std::size_t staged_{0};
  };

  [[nodiscard]] Side open(End end) noexcept {
    return end == End::kParent ? Side(there_.get(), back_.get()) : Side(back_.get(), there_.get());
  }

 private:
  Shared<Queue> there_;
  Shared<Queue> back_;
};

}  // namespace sluice::bench
