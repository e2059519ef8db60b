// Which record a ring carries, found by the schema hash in its header; and when that record was
// made.
#pragma once

#include <algorithm>
#include <utility>

#include "common/messages/control.hpp"
#include "common/messages/execution.hpp"
#include "common/messages/intent.hpp"
#include "common/messages/market_event.hpp"
#include "common/messages/tap.hpp"
#include "shm/ring_probe.hpp"

namespace sluice::top {

template <class R>
struct RecordType {
  using Record = R;
  const char* name;
};

// Calls `use` with the RecordType of the ring's records. False when no record of this build has
// that schema.
template <class Use>
bool with_record_type(const shm::RingProbe& ring, Use&& use) {
  const auto is = [&]<class R>(RecordType<R> type) {
    if (ring.schema_hash() != kSchemaHash<R>)
      return false;
    use(type);
    return true;
  };
  return is(RecordType<MarketEvent>{"market event"}) || is(RecordType<Intent>{"intent"}) ||
         is(RecordType<Execution>{"execution"}) || is(RecordType<Tap>{"tap"}) ||
         is(RecordType<Cancel>{"cancel"}) || is(RecordType<Verdict>{"verdict"}) ||
         is(RecordType<Command>{"command"});
}

// The latest of our own stamps in a record: how long it has waited is counted from there. 0: none.
[[nodiscard]] inline MonoNanos stamp_in(const MarketEvent& r) noexcept {
  return r.receive_ns;
}
[[nodiscard]] inline MonoNanos stamp_in(const Intent& r) noexcept {
  return std::max({r.decided_ns, r.stamps.strategy_publish, r.stamps.risk_publish});
}
[[nodiscard]] inline MonoNanos stamp_in(const Execution& r) noexcept {
  return std::max({r.receive_ns, r.stamps.gateway_poll, r.stamps.hand_over, r.stamps.wire});
}
[[nodiscard]] inline MonoNanos stamp_in(const Tap& r) noexcept {
  return r.now_ns;
}
[[nodiscard]] inline MonoNanos stamp_in(const Cancel& r) noexcept {
  return std::max(r.decided_ns, r.publish_ns);
}
[[nodiscard]] inline MonoNanos stamp_in(const Verdict& r) noexcept {
  return r.decided_ns;
}
[[nodiscard]] inline MonoNanos stamp_in(const Command& r) noexcept {
  return r.decided_ns;
}

}  // namespace sluice::top
