// The kernel's byte streams: two pipes, or one pair of Unix stream sockets. A message is one
// write; the receiver blocks and takes whatever is there, up to 64 messages a read.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "bench/rings/link.hpp"

namespace sluice::bench {

enum class Stream : std::uint8_t { kPipe, kUnix };

template <std::size_t kWords, Stream kStream>
class DescriptorLink {
 public:
  using Message = bench::Message<kWords>;
  static constexpr const char* kName = kStream == Stream::kPipe ? "pipe" : "unix";
  static constexpr Party kParty = Party::kProcess;
  static constexpr bool kPolls = false;

  class Side {
   public:
    Side(int out, int in) noexcept : out_(out), in_(in) {}
    bool try_send(const Message& message) {
      const auto* bytes = reinterpret_cast<const char*>(&message);
      for (std::size_t done = 0; done < sizeof(Message);) {
        const ssize_t written = ::write(out_, bytes + done, sizeof(Message) - done);
        require(written > 0, std::string(kName) + ": write failed");
        done += static_cast<std::size_t>(written);
      }
      return true;
    }
    void flush() noexcept {}
    template <class F>
    std::size_t receive(F&& fn) {
      const ssize_t got = ::read(in_, buffer_.data() + held_, buffer_.size() - held_);
      require(got > 0, std::string(kName) + ": read failed");
      held_ += static_cast<std::size_t>(got);
      const std::size_t whole = held_ / sizeof(Message);
      for (std::size_t i = 0; i < whole; ++i) {
        Message message;
        std::memcpy(&message, buffer_.data() + i * sizeof(Message), sizeof(Message));
        fn(message);
      }
      held_ -= whole * sizeof(Message);
      std::memmove(buffer_.data(), buffer_.data() + whole * sizeof(Message), held_);
      return whole;
    }

   private:
    int out_;
    int in_;
    std::array<char, 64 * sizeof(Message)> buffer_{};
    std::size_t held_{0};
  };

  DescriptorLink() {
    if constexpr (kStream == Stream::kPipe) {
      std::array<int, 2> there{};
      std::array<int, 2> back{};
      require(::pipe(there.data()) == 0 && ::pipe(back.data()) == 0, "no pipe");
      ends_ = {there[1], back[0], back[1], there[0]};
    } else {
      std::array<int, 2> both{};
      require(::socketpair(AF_UNIX, SOCK_STREAM, 0, both.data()) == 0, "no socket pair");
      ends_ = {both[0], both[0], both[1], both[1]};
    }
  }
  ~DescriptorLink() {
    for (std::size_t i = 0; i < ends_.size(); i += kStream == Stream::kPipe ? 1 : 2)
      ::close(ends_[i]);
  }
  DescriptorLink(const DescriptorLink&) = delete;
  DescriptorLink& operator=(const DescriptorLink&) = delete;

  [[nodiscard]] Side open(End end) noexcept {
    return end == End::kParent ? Side(ends_[0], ends_[1]) : Side(ends_[2], ends_[3]);
  }

 private:
  std::array<int, 4> ends_{};  // parent's out and in, partner's out and in
};

}  // namespace sluice::bench
