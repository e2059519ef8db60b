// moodycamel::ReaderWriterQueue, between threads: it keeps pointers, so it cannot be shared by
// processes. Made with its whole capacity; try_enqueue never allocates.
#pragma once

#include <readerwriterqueue/readerwriterqueue.h>

#include "bench/rings/link.hpp"

namespace sluice::bench {

template <std::size_t kWords, std::size_t kSlots>
class MoodycamelLink {
 public:
  using Message = bench::Message<kWords>;
  using Queue = moodycamel::ReaderWriterQueue<Message>;
  static constexpr const char* kName = "moodycamel";
  static constexpr Party kParty = Party::kThread;
  static constexpr bool kPolls = true;

  class Side {
   public:
    Side(Queue& out, Queue& in) noexcept : out_(out), in_(in) {}
    bool try_send(const Message& message) { return out_.try_enqueue(message); }
    void flush() noexcept {}
    template <class F>
    std::size_t receive(F&& fn) {
      if (!in_.try_dequeue(incoming_))
        return 0;
      fn(incoming_);
      return 1;
    }

   private:
    Queue& out_;
    Queue& in_;
    Message incoming_{};
  };

  [[nodiscard]] Side open(End end) noexcept {
    return end == End::kParent ? Side(there_, back_) : Side(back_, there_);
  }

 private:
  Queue there_{kSlots};
  Queue back_{kSlots};
};

}  // namespace sluice::bench
