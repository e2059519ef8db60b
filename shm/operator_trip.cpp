#include "shm/operator_trip.hpp"

#include <atomic>
#include <chrono>

#include "shm/atomics.hpp"
#include "shm/layout_files.hpp"

namespace sluice::shm {
namespace {

static_assert(kTripScopes * sizeof(StdAtomics::Word) <= kPageBytes,
              "the words fill one page at most");

Segment attach_trip(const Instance& instance, Region::Access access) {
  return attach_segment(instance, operator_trip_file(),
                        {.kind = SegmentKind::kOperatorTrip,
                         .name = instance.name(),
                         .elements = kTripScopes,
                         .element_bytes = sizeof(StdAtomics::Word),
                         .min_bytes = operator_trip_bytes()},
                        access);
}

StdAtomics::Word& word_of(const Segment& segment, std::uint32_t scope) noexcept {
  return segment.region.at<StdAtomics::Word>(kHeaderBytes)[scope];
}

void require_scope(const std::string& dir, std::uint32_t scope) {
  if (scope >= kTripScopes)
    throw Error(ExitCode::kUsage, dir + '/' + operator_trip_file() + ": scope " +
                                      std::to_string(scope) +
                                      " does not exist; 0 (everything) to " +
                                      std::to_string(kTripScopes - 1) + " do");
}

}  // namespace

void OperatorTrip::set(const std::string& dir, std::uint32_t scope, std::uint64_t word) {
  require_scope(dir, scope);
  if (word == 0)
    throw Error(ExitCode::kUsage, "a kill word of 0 would kill nothing; pass a reason bit");
  const Instance instance = Instance::attach(dir, std::chrono::milliseconds{0});
  const Segment segment = attach_trip(instance, Region::Access::kReadWrite);
  // release: pairs with the acquire in View::word(). An or, because other operators write here too.
  std::atomic_ref<std::uint64_t>(word_of(segment, scope)).fetch_or(word, std::memory_order_release);
}

void OperatorTrip::clear(const std::string& dir, std::uint32_t scope,
                         const RoleLock& operator_role) {
  require_scope(dir, scope);
  if (operator_role.role() != kOperatorRole || !role_held_here(dir, kOperatorRole))
    throw Error(ExitCode::kBug, "clearing a kill word of " + dir +
                                    " needs its operator's role, not '" + operator_role.role() +
                                    "' of " + operator_role.dir());
  const Instance instance = Instance::attach(dir, std::chrono::milliseconds{0});
  const Segment segment = attach_trip(instance, Region::Access::kReadWrite);
  // release: as in set(). A kill that arrives at this instant is either wiped with the ones before
  // it or stands after it; the operator who resumes looks again.
  StdAtomics::store_release(word_of(segment, scope), 0);
}

OperatorTrip::View::View(const Instance& instance)
    : segment_(attach_trip(instance, Region::Access::kReadOnly)) {}

std::uint64_t OperatorTrip::View::word(std::uint32_t scope) const noexcept {
  // acquire: pairs with the release in set().
  return scope < kTripScopes ? StdAtomics::load_acquire(word_of(segment_, scope))
                             : ~std::uint64_t{0};
}

bool OperatorTrip::View::any(std::uint32_t scope) const noexcept {
  // The mark last: zeros of a truncated file are read before it can be seen.
  return word(kTripScopeEverything) != 0 || word(scope) != 0 || segment_.region.hostile();
}

}  // namespace sluice::shm
