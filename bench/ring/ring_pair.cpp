// The same over two rings in files, as the stages have them: 64-byte slots, kernel-enforced sides.

#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "bench/ring/pair.hpp"
#include "common/base/schema.hpp"
#include "shm/layout.hpp"
#include "shm/ring.hpp"
#include "shm/role.hpp"

namespace sluice::bench {

struct Message {
  std::uint64_t number;
  std::array<std::uint64_t, 6> rest;
};
SLUICE_SCHEMA(Message, number, rest);

namespace {

constexpr const char* kParent = "parent";
constexpr const char* kChild = "child";

// A layout with the rings `there` (parent to child) and `back`, removed with the object.
class RingFiles {
 public:
  RingFiles() : dir_("/dev/shm/sluice-bench-" + std::to_string(getpid())) {
    shm::Layout layout;
    layout.dir = dir_;
    layout.rings = {
        shm::ring_spec<Message>("there", kLines, shm::RingPolicy::kRefuse, kParent, kChild),
        shm::ring_spec<Message>("back", kLines, shm::RingPolicy::kRefuse, kChild, kParent)};
    shm::create_layout(layout, false);
  }
  ~RingFiles() {
    std::error_code ignored;  // nothing depends on the folder any more
    std::filesystem::remove_all(dir_, ignored);
  }
  RingFiles(const RingFiles&) = delete;
  RingFiles& operator=(const RingFiles&) = delete;
  [[nodiscard]] const std::string& dir() const noexcept { return dir_; }

 private:
  std::string dir_;
};

// One process's role and two ends. Made after the fork: a child would share the parent's lock.
struct Side {
  Side(const std::string& dir, const char* role_name, const char* out_ring, const char* in_ring)
      : role(shm::RoleLock::acquire(dir, role_name, "bench ring")),
        instance(shm::Instance::attach(dir, std::chrono::seconds{30})),
        out(instance, out_ring),
        in(instance, in_ring) {}

  void send(std::uint64_t number) noexcept {
    Message message{number, {}};
    while (!out.try_push(message))
      relax();
  }
  [[nodiscard]] std::uint64_t await() noexcept {
    Message message;
    while (!in.peek(message))
      relax();
    in.release();
    return message.number;
  }

  shm::RoleLock role;
  shm::Instance instance;
  shm::RingProducer<Message> out;
  shm::RingConsumer<Message> in;
};

void require_in_order(std::uint64_t got, std::uint64_t expected) {
  if (got != expected)
    throw Error(ExitCode::kBug, "bench ring: message " + std::to_string(got) + " instead of " +
                                    std::to_string(expected));
}

}  // namespace

std::vector<std::uint64_t> ring_round_trips(std::uint64_t count) {
  const RingFiles files;
  const std::uint64_t total = kWarmUp + count;
  const PinnedChild echo([&] {
    Side side(files.dir(), kChild, "back", "there");
    for (std::uint64_t i = 0; i < total; ++i)
      side.send(side.await());
  });
  Side side(files.dir(), kParent, "there", "back");
  std::vector<std::uint64_t> samples;
  samples.reserve(count);
  for (std::uint64_t i = 0; i < total; ++i) {
    const std::uint64_t sent = now_ns();
    side.send(i);
    const std::uint64_t answer = side.await();
    const std::uint64_t answered = now_ns();
    require_in_order(answer, i);
    if (i >= kWarmUp)
      samples.push_back(answered - sent);
  }
  return samples;
}

double ring_throughput(std::uint64_t count) {
  const RingFiles files;
  const std::uint64_t total = kWarmUp + count;
  const PinnedChild producer([&] {
    Side side(files.dir(), kChild, "back", "there");
    for (std::uint64_t i = 0; i < total; ++i)
      side.send(i);
  });
  Side side(files.dir(), kParent, "there", "back");
  std::uint64_t begun = 0;
  std::uint64_t received = 0;
  std::uint64_t misplaced = 0;
  while (received < total) {
    const std::size_t taken = side.in.drain(
        [&](const Message& message) {
          if (message.number != received)
            ++misplaced;
          if (received == kWarmUp)
            begun = now_ns();
          ++received;
        },
        256);
    if (taken == 0)
      relax();
  }
  const std::uint64_t ended = now_ns();
  require_in_order(misplaced, 0);
  return static_cast<double>(count) * 1e3 / static_cast<double>(ended - begun);
}

}  // namespace sluice::bench
