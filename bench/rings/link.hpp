// What travels, and what every transport offers: a Link is made by the parent before its partner
// exists, then each of the two opens its Side of it.
//
// A message is its number and words that follow from it. Every receiver adds all words up and
// compares the sum with the one that was due, so no transport is paid for bytes that nobody reads.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "bench/rings/pair.hpp"
#include "common/base/schema.hpp"

namespace sluice::bench {

inline constexpr std::uint64_t kEcho = 0x9e3779b97f4a7c15;  // odd: an order of its own per word

template <std::size_t kWords>
struct Message {
  static constexpr std::size_t kBytes = kWords * sizeof(std::uint64_t);
  std::uint64_t number;
  std::array<std::uint64_t, kWords - 1> echo;

  [[nodiscard]] static Message of(std::uint64_t number) noexcept {
    Message message;
    message.number = number;
#pragma GCC unroll 32  // in registers, as the fields of a record are that was just made
    for (std::size_t i = 0; i < kWords - 1; ++i)
      message.echo[i] = number ^ (kEcho * (i + 1));
    return message;
  }
  [[nodiscard]] std::uint64_t sum() const noexcept {
    std::uint64_t sum = number;
    for (const std::uint64_t word : echo)
      sum += word;
    return sum;
  }
};

// What fills slots of 64, 128, 192 and 256 bytes beside the stamp.
using Slot64 = Message<7>;
using Slot128 = Message<15>;
using Slot192 = Message<23>;
using Slot256 = Message<31>;
SLUICE_SCHEMA(Slot64, number, echo);
SLUICE_SCHEMA(Slot128, number, echo);
SLUICE_SCHEMA(Slot192, number, echo);
SLUICE_SCHEMA(Slot256, number, echo);

// Where a side stands: the parent sends `there` and receives `back`.
enum class End : std::uint8_t { kParent, kPartner };

// What a receiver saw, checked against what was due when it is done.
class Arrivals {
 public:
  template <std::size_t kWords>
  void take(const Message<kWords>& message) noexcept {
    misplaced_ += message.number != received_;
    sum_ += message.sum();
    ++received_;
  }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  template <class M>
  void check(std::uint64_t total, const char* link) const {
    std::uint64_t due = 0;
    for (std::uint64_t i = 0; i < total; ++i)
      due += M::of(i).sum();
    require(received_ == total && misplaced_ == 0 && sum_ == due,
            std::string(link) + ": what arrived is not what was sent");
  }

 private:
  std::uint64_t received_{0};
  std::uint64_t misplaced_{0};
  std::uint64_t sum_{0};
};

// try_send: false when there is no room. flush: what was sent so far is on its way. receive: calls
// fn for at least one message when there is one, and returns how many; 0 when there is none.
// A side that blocks instead never says false or 0.
template <class S, class M>
concept SideOf = requires(S side, const M& message, void (*fn)(const M&)) {
  { side.try_send(message) } -> std::same_as<bool>;
  side.flush();
  { side.receive(fn) } -> std::same_as<std::size_t>;
};

template <class L>
concept Link = requires(L& link, End end) {
  typename L::Message;
  { L::kName } -> std::convertible_to<const char*>;
  { L::kParty } -> std::convertible_to<Party>;
  { L::kPolls } -> std::convertible_to<bool>;  // false: its sides block
  { link.open(end) } -> SideOf<typename L::Message>;
};

}  // namespace sluice::bench
