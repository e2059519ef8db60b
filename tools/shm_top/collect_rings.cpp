#include "tools/shm_top/collect_rings.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "shm/ring_core.hpp"
#include "tools/shm_top/attach_trouble.hpp"
#include "tools/shm_top/ring_record.hpp"
#include "tools/shm_top/text.hpp"
#include "tools/shm_top/window.hpp"

namespace sluice::top {
namespace {

// The oldest record that nobody released and that can still be read; none when that is not the
// oldest of all, or is unreadable.
template <class R>
void add_lag(const shm::RingProbe& ring, MonoNanos now, RingFacts& facts) {
  const std::uint64_t cursor = ring.cursor();
  std::uint64_t position = cursor;
  // A probe refuses slots that the producer may be writing. In a full ring these are the oldest.
  if (const std::uint64_t oldest = ring.oldest(); static_cast<std::int64_t>(oldest - position) > 0)
    position = oldest;
  R record;
  if (!ring.read(position, record))
    return;
  const MonoNanos stamp = stamp_in(record);
  if (stamp.ns <= 0 || stamp > now)
    return;
  facts.lag_ns = now.ns - stamp.ns;
  facts.lag_at_least = position != cursor;
}

// A cursor that no consumer could have reached. The depth of such a ring looks like nothing.
bool cursor_impossible(const shm::RingProbe& ring) noexcept {
  // The cursor first: a consumer never passes what is published, and that is below every later tail
  // but for a batch.
  const std::uint64_t cursor = ring.cursor();
  const std::uint64_t ahead = cursor - ring.tail();
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;  // from here on it is behind
  return ahead > shm::largest_batch(ring.slots()) && ahead <= kHalf;
}

}  // namespace

void RingSource::attach(const shm::Instance& instance) {
  try {
    probe_.emplace(instance, name_);
    trouble_.clear();
  } catch (const Error& error) {
    trouble_ = attach_trouble(instance.dir(), error);
  }
}

// The ring's own record is since its creation, and its probe adds what it meets itself. So after a
// reset: a record that was beaten is exact; otherwise there is what was met here.
void RingSource::add_depths(const shm::RingProbe& ring, RingFacts& facts) {
  facts.depth = ring.depth();
  const std::uint64_t most = ring.depth_max();
  const bool full = most >= ring.slots();  // no depth is greater
  if (most > facts.depth || full)
    record_ = std::max(record_, most);
  depth_seen_ = std::max(depth_seen_, facts.depth);
  if (most > depth_base_)
    depth_seen_ = std::max(depth_seen_, most);
  facts.messages = ring.messages();
  const bool any = facts.messages != messages_base_;
  facts.depth_max = depth_seen_;
  // Whatever came was in the ring for a moment, even if nobody met it there.
  if (any)
    facts.depth_max = std::max<std::uint64_t>(facts.depth_max, 1);
  const bool recorded = record_ > depth_base_ && record_ >= depth_seen_;
  facts.depth_max_at_least = any && !recorded && !full;
}

RingFacts RingSource::collect(const shm::Instance& instance, MonoNanos now, MonoNanos window_from) {
  if (!probe_)
    attach(instance);
  RingFacts out;
  out.name = printable(name_);
  out.trouble = trouble_;
  if (!probe_)
    return out;
  const shm::RingProbe& ring = *probe_;
  out.producer = printable(ring.producer());
  out.consumer = printable(ring.consumer());
  out.policy = ring.policy();
  out.slots = ring.slots();
  add_depths(ring, out);
  out.drops = ring.drops();
  out.gaps = ring.gaps();
  out.snapshots = ring.snapshots();
  out.owed = ring.owed();
  out.broken_peer = ring.broken_peer();
  out.refused = ring.refused();
  out.detached = ring.detached();
  out.broken =
      ring.hostile() || out.depth > out.slots || out.broken_peer != 0 || cursor_impossible(ring);
  const bool known = with_record_type(ring, [&]<class R>(RecordType<R> type) {
    out.record = type.name;
    if (out.depth != 0 && !out.broken)
      add_lag<R>(ring, now, out);
  });
  if (!known)
    out.record = "unknown record";

  keep_window(samples_, window_from);
  if (!samples_.empty() && now > samples_.front().at) {
    const std::uint64_t before = samples_.front().messages;
    const double seconds = static_cast<double>(now.ns - samples_.front().at.ns) / 1e9;
    out.rate = out.messages > before ? static_cast<double>(out.messages - before) / seconds : 0;
  }
  samples_.push_back({now, out.messages});
  return out;
}

void RingSource::reset_maxima() {
  if (!probe_)
    return;
  depth_base_ = std::max(record_, probe_->depth_max());
  depth_seen_ = probe_->depth();
  messages_base_ = probe_->messages();
}

}  // namespace sluice::top
