// Cancel, Verdict and Command: the small records, each one cache line with its stamp.
#pragma once

#include "common/messages/ids.hpp"
#include "common/messages/reasons.hpp"

namespace sluice {

// Strategy to gateway; never waits for risk and has no deadline.
struct Cancel {
  IntentId order{};  // the intent whose order (or its chain) shall end
  std::uint32_t epoch{0};
  std::uint16_t strategy{0};
  std::uint16_t flags{0};
  std::uint64_t sequence{0};
  MonoNanos decided_ns{};
  MonoNanos publish_ns{};  // the shell's
  std::uint64_t reserved{0};
};
SLUICE_SCHEMA(Cancel, order, epoch, strategy, flags, sequence, decided_ns, publish_ns, reserved);
static_assert(sizeof(Cancel) == 56, "one cache line with its stamp");

enum class Decision : std::uint8_t { kNone = 0, kApproved = 1, kResized = 2, kRefused = 3 };

// Risk to strategy: what became of an intent. Approvals are told by executions, so only refusals
// and resizes travel here.
struct Verdict {
  IntentId intent{};
  Decision decision{Decision::kNone};
  std::uint8_t reserved8{0};
  Reason reason{Reason::kNone};
  std::uint32_t reserved32{0};
  Qty requested{};
  Qty approved{};
  MonoNanos decided_ns{};
  std::uint64_t reserved{0};
};
SLUICE_SCHEMA(Verdict, intent, decision, reserved8, reason, reserved32, requested, approved,
              decided_ns, reserved);
static_assert(sizeof(Verdict) == 56, "one cache line with its stamp");

enum class Verb : std::uint16_t {
  kNone = 0,
  kWindDown = 1,  // strategy: cancel what rests, sell what is held, take nothing new
  kPause = 2,
  kResume = 3,          // gateway: clear the kill word it set itself
  kAcceptPosition = 4,  // gateway: book the venue's position of instrument `scope` into `external`
};

// Operator's tool (or control) to a stage; who holds the operator role writes.
struct Command {
  Verb verb{Verb::kNone};
  std::uint16_t scope{0};
  std::uint32_t operator_id{0};
  IntentId target{};
  std::int64_t value{0};
  MonoNanos decided_ns{};
  std::uint64_t sequence{0};
  std::uint64_t reserved{0};
};
SLUICE_SCHEMA(Command, verb, scope, operator_id, target, value, decided_ns, sequence, reserved);
static_assert(sizeof(Command) == 56, "one cache line with its stamp");

}  // namespace sluice
