#include "common/runtime/idle.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace sluice {
namespace {

// As linux/sched/types.h has it, whose header clashes with sched.h. The fields that came later are
// left out: the kernel goes by `size`.
struct SchedAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns;  // of SCHED_OTHER: the slice, 0 for the kernel's own
  std::uint64_t deadline_ns;
  std::uint64_t period_ns;
};
static_assert(sizeof(SchedAttributes) == 48, "SCHED_ATTR_SIZE_VER0");

constexpr std::uint64_t kKeepPolicy = 0x08;  // SCHED_FLAG_KEEP_POLICY
constexpr std::uint64_t kLongestSliceNs = 100'000'000;

static_assert(IdleRule::kYields / 4 >= 5, "the count of sleeps stops before the longest one");

[[nodiscard]] bool read_attributes(SchedAttributes& attributes) noexcept {
  return ::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0 &&
         (attributes.policy == SCHED_OTHER || attributes.policy == SCHED_BATCH);
}

// With policy, nice value and flags as they are at this moment.
[[nodiscard]] bool set_slice(std::uint64_t slice_ns) noexcept {
  SchedAttributes attributes{};
  if (!read_attributes(attributes))
    return false;
  attributes.flags |= kKeepPolicy;
  attributes.runtime_ns = slice_ns;
  return ::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

}  // namespace

std::int64_t IdleRule::sleep_ns() const noexcept {
  const std::uint32_t doublings = yields_ < kYields ? 0 : std::min((yields_ - kYields) / 4, 5U);
  return std::min(kSleepMinNs << doublings, kSleepMaxNs);
}

Rest IdleRule::next_empty(MonoNanos now) noexcept {
  if (mode_ == IdleMode::kBackoff && yields_ >= kYields) {
    yields_ += yields_ < 2 * kYields ? 1 : 0;  // so that it neither wraps nor leaves sleeping
    arrived_ = false;
    return Rest::kSleep;
  }
  if (!arrived_) {
    arrived_ = true;
    arrived_at_ = now;
  }
  if (!worked_ && static_cast<std::uint64_t>(now.ns - arrived_at_.ns) < kPollNs)
    return Rest::kNone;
  std::uint32_t& times = worked_ ? useful_ : wasted_;
  times += times < kTimesMax ? 1 : 0;
  worked_ = false;
  arrived_ = false;
  ++yields_;
  return place_is_bad() ? Rest::kYieldPlace : Rest::kYield;
}

// About one wasted time for each useful one is a wrong place in the order. Many more are a stage
// that has little to do, at whatever place.
bool IdleRule::place_is_bad() noexcept {
  const std::uint32_t watched = kWatched << (tries_ > kQuickTries ? tries_ - kQuickTries : 0);
  if (useful_ < watched)
    return false;
  const bool bad = wasted_ >= useful_ / 2 && wasted_ <= useful_ * 3;
  tries_ = bad ? std::min(tries_ + 1, kTriesMax) : 0;
  useful_ = 0;
  wasted_ = 0;
  return bad;
}

void Idle::carry_out(Rest rest, MonoNanos now) noexcept {
  if (rest == Rest::kSleep) {
    const timespec pause{.tv_sec = 0, .tv_nsec = rule_.sleep_ns()};
    ::nanosleep(&pause, nullptr);  // a signal may end it early, which is what we want
  } else if (rest == Rest::kYield || !places_) {
    ::sched_yield();
  } else {
    // Any place: which one is right is not known.
    places_ = yield_place(static_cast<unsigned>(static_cast<std::uint64_t>(now.ns) % 100));
  }
}

bool yield_place(unsigned percent) noexcept {
  SchedAttributes usual{};
  const bool known = read_attributes(usual) && usual.runtime_ns != 0;  // 0: the kernel keeps none
  const std::uint64_t longer = usual.runtime_ns + usual.runtime_ns * percent / 100;
  const bool moved = known && longer <= kLongestSliceNs && set_slice(longer);
  ::sched_yield();
  return moved && set_slice(usual.runtime_ns);
}

}  // namespace sluice
