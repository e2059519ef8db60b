// What a stage does in a turn of its loop that found no work: the configured idle mode.
//
// `spin`: nothing, the core is the stage's own. `yield`: for stages that share a core. `backoff`:
// the same, then sleeps. How stages that share a core hand records on without waste:
//
// 1. A stage that worked and then finds nothing gives its core away at once: whoever it worked for
//    may be waiting on the same core.
// 2. One that got its core back and finds nothing polls for somewhat longer than a change of
//    process takes. Its neighbour on the other core is being switched in at this very moment, and
//    by then has answered: so the two cores fall into step, and a record that goes round through
//    five stages on two cores meets each of them as it arrives.
// 3. The kernel runs the stages of a core in turn, in an order that is chance. Where it is against
//    the flow, every second time on the core is in vain. A stage that sees this for a while gives
//    way once by more than the others do, which changes its place in the order; when this does not
//    help, it tries more and more rarely.
//
// Thread contract: one object per thread that idles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/time.hpp"
#include "common/runtime/config.hpp"

namespace sluice {

enum class Rest : std::uint8_t { kNone, kYield, kYieldPlace, kSleep };

// The rule, without clock or syscall.
class IdleRule {
 public:
  static constexpr std::int64_t kPollNs = 2'000;
  // `backoff` sleeps after so many yields in a row that found nothing.
  static constexpr std::uint32_t kYields = 20;
  static constexpr std::int64_t kSleepMinNs = 20'000;
  static constexpr std::int64_t kSleepMaxNs = 500'000;
  // After so many times on the core that found work the wasted ones among them are looked at. Past
  // kQuickTries attempts in a row at a better place it is twice as many from one to the next.
  static constexpr std::uint32_t kWatched = 256;
  static constexpr std::uint32_t kQuickTries = 8;
  static constexpr std::uint32_t kTriesMax = kQuickTries + 12;
  static constexpr std::uint32_t kTimesMax = kWatched << 14;  // counted no further

  explicit IdleRule(IdleMode mode) noexcept : mode_(mode) {}

  // What to do before the next turn. `work`: what this turn found; `now`: when it began. A clock
  // that goes back counts as time that passed.
  [[nodiscard]] Rest next(std::size_t work, MonoNanos now) noexcept {
    if (work != 0) {
      worked_ = true;
      yields_ = 0;
      return Rest::kNone;
    }
    return mode_ == IdleMode::kSpin ? Rest::kNone : next_empty(now);
  }
  // How long the sleep is that next() asked for.
  [[nodiscard]] std::int64_t sleep_ns() const noexcept;
  // Whether the loop is quiet enough for a blocking wait instead of a sleep.
  [[nodiscard]] bool sleeping() const noexcept {
    return mode_ == IdleMode::kBackoff && yields_ >= kYields;
  }

 private:
  [[nodiscard]] Rest next_empty(MonoNanos now) noexcept;
  [[nodiscard]] bool place_is_bad() noexcept;

  IdleMode mode_;
  bool worked_{false};   // since it got its core
  bool arrived_{false};  // a turn began since it got its core: at arrived_at_
  MonoNanos arrived_at_{};
  std::uint32_t yields_{0};  // in a row, without work; counts sleeps on
  std::uint32_t useful_{0};  // times on the core that found work, and that did not
  std::uint32_t wasted_{0};
  std::uint32_t tries_{0};  // at a better place, since it was right
};

class Idle {
 public:
  explicit Idle(IdleMode mode) noexcept : rule_(mode) {}

  void operator()(std::size_t work, MonoNanos now) noexcept {
    if (const Rest rest = rule_.next(work, now); rest != Rest::kNone)
      carry_out(rest, now);
  }
  // Whether the loop is quiet enough for a blocking wait; used where a library can wait for
  // sockets.
  [[nodiscard]] bool may_block() const noexcept { return rule_.sleeping(); }

 private:
  void carry_out(Rest rest, MonoNanos now) noexcept;

  IdleRule rule_;
  bool places_{true};  // until it was found impossible
};

// Yields by `percent` of a time slice more than sched_yield() does. Only what the kernel's ordinary
// scheduling orders has such a place (Linux 6.12 and later). Policy, nice value and the slice's
// length stay as they were; the kernel takes the slice for a chosen one from then on. False: not
// possible here, and not to be tried again; a plain yield.
bool yield_place(unsigned percent) noexcept;

}  // namespace sluice
