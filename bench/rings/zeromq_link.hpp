// ZeroMQ, a PAIR of sockets over ipc. Each process has a context of its own, made after the fork;
// the I/O thread of each may run on both cores.
#pragma once

#include <unistd.h>
#include <zmq.h>

#include "bench/rings/link.hpp"

namespace sluice::bench {

template <std::size_t kWords>
class ZeromqLink {
 public:
  using Message = bench::Message<kWords>;
  static constexpr const char* kName = "zeromq";
  static constexpr Party kParty = Party::kProcess;
  static constexpr bool kPolls = false;

  class Side {
   public:
    Side(const std::string& address, End end) : context_(zmq_ctx_new()) {
      const OnBothCores for_its_thread(end == End::kParent ? Core::kFirst : Core::kSecond);
      socket_ = zmq_socket(context_, ZMQ_PAIR);
      const int result = end == End::kParent ? zmq_bind(socket_, address.c_str())
                                             : zmq_connect(socket_, address.c_str());
      require(result == 0, std::string("zeromq: ") + zmq_strerror(zmq_errno()));
    }
    ~Side() {
      zmq_close(socket_);
      zmq_ctx_term(context_);
    }
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;

    bool try_send(const Message& message) {
      require(zmq_send(socket_, &message, sizeof(Message), 0) == sizeof(Message),
              "zeromq: send failed");
      return true;
    }
    void flush() noexcept {}
    template <class F>
    std::size_t receive(F&& fn) {
      Message message;
      require(zmq_recv(socket_, &message, sizeof(Message), 0) == sizeof(Message),
              "zeromq: receive failed");
      fn(message);
      return 1;
    }

   private:
    void* context_;
    void* socket_{nullptr};
  };

  [[nodiscard]] Side open(End end) const { return {address_, end}; }

 private:
  std::string address_ = "ipc://@sluice-bench-rings-" + std::to_string(getpid());
};

}  // namespace sluice::bench
