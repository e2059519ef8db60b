#include "tools/venue_sim/stream_faults.hpp"

#include <algorithm>
#include <utility>

namespace sluice::sim {

void FaultySession::pump(WallNanos now) {
  now_ = now;
  if (reordering_ && now >= release_at_) {
    reordering_ = false;
    const std::string late = std::exchange(successor_first_, {});
    if (!pass(late, successor_binary_)) {
      session_.cut();
      return;
    }
  }
  while (!held_.empty() && held_.front().due <= now) {
    Held held = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= held.payload.size();
    if (!session_.send(held.payload, held.binary)) {
      session_.cut();
      return;
    }
  }
}

std::optional<WallNanos> FaultySession::next_due() const noexcept {
  if (held_.empty()) {
    return reordering_ ? std::optional(release_at_) : std::nullopt;
  }
  return reordering_ ? std::min(release_at_, held_.front().due) : held_.front().due;
}

bool FaultySession::send(std::string_view payload, bool binary) {
  if (muted_) {
    return true;
  }
  const std::optional<FaultHit> hit = faults_.strike(site_, now_);
  if (!hit) {
    return pass(payload, binary);
  }
  const std::int64_t ms = hit->ms * kNanosPerMilli;
  switch (hit->kind) {
    case FaultKind::kDrop:
      return true;
    case FaultKind::kDuplicate:
      return pass(payload, binary) && pass(payload, binary);
    case FaultKind::kReorder:
      if (reordering_) {
        return pass(payload, binary);
      }
      successor_first_ = payload;
      successor_binary_ = binary;
      reordering_ = true;
      release_at_.ns = now_.ns + kNoSuccessorNs;
      return true;
    case FaultKind::kCut:
      cut_in_mid_frame(payload, binary);
      return true;
    case FaultKind::kMute:
      muted_ = true;
      session_.freeze();
      return true;
    case FaultKind::kDelay:
      return hold(WallNanos{now_.ns + ms}, payload, binary);
    case FaultKind::kSlow: {
      const WallNanos due = std::max(now_, free_at_);
      free_at_.ns = due.ns + ms;
      return hold(due, payload, binary);
    }
    default:
      return pass(payload, binary);
  }
}

bool FaultySession::send_fragmented(std::string_view payload, bool binary,
                                    std::size_t fragment_bytes) {
  return session_.send_fragmented(payload, binary, fragment_bytes);
}

// Nothing overtakes what is held back, and a message that waits for its successor follows it.
bool FaultySession::pass(std::string_view payload, bool binary) {
  const bool sent =
      held_.empty() ? session_.send(payload, binary) : hold(held_.back().due, payload, binary);
  if (!sent || !reordering_) {
    return sent;
  }
  reordering_ = false;
  const std::string late = std::exchange(successor_first_, {});
  return pass(late, successor_binary_);
}

bool FaultySession::hold(WallNanos due, std::string_view payload, bool binary) {
  if (held_bytes_ + payload.size() > kMaxHeldBytes) {
    return false;
  }
  held_bytes_ += payload.size();
  const WallNanos last = held_.empty() ? due : held_.back().due;
  held_.push_back({std::max(due, last), std::string(payload), binary});
  return true;
}

void FaultySession::cut_in_mid_frame(std::string_view payload, bool binary) {
  std::string frame;
  frame.push_back(static_cast<char>(binary ? 0x82 : 0x81));  // RFC 6455: FIN, opcode
  frame.push_back(127);                                      // eight bytes of length follow
  for (int shift = 56; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>((std::uint64_t{payload.size()} >> shift) & 0xFF));
  }
  frame.append(payload.substr(0, payload.size() / 2));
  static_cast<void>(session_.send_raw(frame));
  session_.end_after_sending();
}

void FaultySession::close(std::uint16_t code, std::string_view reason) {
  if (!muted_) {
    session_.close(code, reason);
  }
}

void FaultySession::cut() {
  held_.clear();
  held_bytes_ = 0;
  session_.cut();
}

}  // namespace sluice::sim
