#include "tools/shm_top/tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/base/error.hpp"
#include "common/describe/records.hpp"
#include "shm/layout.hpp"
#include "tools/shm_top/collect_symbols.hpp"
#include "tools/shm_top/ring_record.hpp"

namespace sluice::top {
namespace {

constexpr auto kLook = std::chrono::milliseconds(10);
constexpr int kCurrentEvery = 20;  // looks at the ring between two looks at the layout

// Positions wrap (tests start near 2^64): only differences are compared.
bool before(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::int64_t>(a - b) < 0;
}

template <class R>
class Follower {
 public:
  Follower(const shm::Instance& instance, const shm::RingProbe& ring, const TailOptions& options,
           std::FILE* out)
      : ring_(ring), json_(options.json), utf8_(options.utf8), symbols_(instance), out_(out) {
    const std::uint64_t end = ring.tail();
    next_ = end - std::min(options.count, ring.slots());
    if (const std::uint64_t oldest = ring.oldest(); before(next_, oldest))
      next_ = oldest;
  }

  // Prints what is there. False when the output is gone.
  bool poll() {
    // One lap at most: a spoilt tail must not keep us here.
    for (std::uint64_t i = 0; i < ring_.slots(); ++i) {
      R record;
      if (ring_.read(next_, record)) {
        print(record);
        ++next_;
        continue;
      }
      const std::uint64_t oldest = ring_.oldest();
      if (!before(next_, oldest))
        break;  // not published yet
      note_unseen(oldest - next_);
      next_ = oldest;
    }
    return std::fflush(out_) == 0 && std::ferror(out_) == 0;
  }

 private:
  void print(const R& record) {
    symbols_.refresh();
    const Fields fields = fields_of(record, symbols_.all());
    if (json_) {
      Fields line;
      line.number("position", next_);
      line.object("record", fields);
      fmt::print(out_, "{}\n", line.json());
    } else {
      fmt::print(out_, "{} {}\n", next_, fields.line());
    }
  }
  void note_unseen(std::uint64_t count) {
    if (json_) {
      Fields line;
      line.number("unseen", count);
      fmt::print(out_, "{}\n", line.json());
    } else {
      fmt::print(out_, "{} {} records were overwritten before they were read\n",
                 utf8_ ? "…" : "...", count);
    }
  }

  const shm::RingProbe& ring_;
  bool json_;
  bool utf8_;
  SymbolSource symbols_;
  std::FILE* out_;
  std::uint64_t next_{0};
};

std::string listed_rings(const std::string& dir) {
  return fmt::format("{}", fmt::join(shm::segment_names(dir).rings, ", "));
}

}  // namespace

int tail(const std::string& dir, const TailOptions& options, std::FILE* out,
         const std::function<bool()>& stop) {
  const shm::Instance instance = shm::Instance::attach(dir, std::chrono::milliseconds(0));
  const auto names = shm::segment_names(dir).rings;
  if (std::find(names.begin(), names.end(), options.ring) == names.end()) {
    throw Error(ExitCode::kUsage, fmt::format("--ring {}: no such ring; there are {}", options.ring,
                                              listed_rings(dir)));
  }
  const shm::RingProbe ring(instance, options.ring);
  const bool known = with_record_type(ring, [&]<class R>(RecordType<R>) {
    Follower<R> follower(instance, ring, options, out);
    for (int look = 1; follower.poll() && options.follow && !stop(); ++look) {
      if (look % kCurrentEvery == 0 && !instance.still_current()) {
        static_cast<void>(follower.poll());  // what came before the end
        throw Error(ExitCode::kResource,
                    fmt::format("--ring {}: the layout in {} was removed or created anew, and "
                                "nothing more comes from this ring; start again to follow the new "
                                "one",
                                options.ring, dir));
      }
      std::this_thread::sleep_for(kLook);
    }
  });
  if (!known) {
    throw Error(ExitCode::kResource,
                fmt::format("--ring {}: its records have schema {:016x}, which this build does not "
                            "know; use the shm-top of the build that runs",
                            options.ring, ring.schema_hash()));
  }
  return 0;
}

}  // namespace sluice::top
