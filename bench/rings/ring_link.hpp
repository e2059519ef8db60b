// Our ring, between two processes: two rings in files, `there` and `back`.
#pragma once

#include "bench/rings/link.hpp"
#include "bench/rings/ring_files.hpp"
#include "shm/ring.hpp"
#include "shm/role.hpp"

namespace sluice::bench {

enum class Publish : std::uint8_t { kSingly, kInBatches };

template <std::size_t kWords, std::uint32_t kSlots, Publish kPublish,
          class Prefetch = shm::PrefetchAhead<4, 2>>
class RingLink {
  static constexpr const char* kParentRole = "parent";
  static constexpr const char* kPartnerRole = "partner";

 public:
  using Message = bench::Message<kWords>;
  static constexpr const char* kName = kPublish == Publish::kSingly ? "ring" : "ring_batched";
  static constexpr Party kParty = Party::kProcess;
  static constexpr bool kPolls = true;

  // One process's role and two ends; made after the fork: a child would share the parent's lock.
  class Side {
   public:
    Side(const std::string& dir, const char* role, const char* out, const char* in,
         std::size_t limit)
        : role_(shm::RoleLock::acquire(dir, role, "bench rings")),
          instance_(shm::Instance::attach(dir, std::chrono::seconds{30})),
          out_(instance_, out),
          in_(instance_, in),
          limit_(limit) {}

    bool try_send(const Message& message) noexcept {
      if constexpr (kPublish == Publish::kSingly)
        return out_.try_push(message);
      if (out_.try_stage(message))
        return true;
      out_.publish();
      return out_.try_stage(message);
    }
    void flush() noexcept {
      if constexpr (kPublish == Publish::kInBatches)
        out_.publish();
    }
    template <class F>
    std::size_t receive(F&& fn) noexcept {
      return in_.drain(fn, limit_);
    }

   private:
    shm::RoleLock role_;
    shm::Instance instance_;
    shm::RingProducer<Message, Prefetch> out_;
    shm::RingConsumer<Message, Prefetch> in_;
    std::size_t limit_;
  };

  // `limit`: most records taken by one drain.
  explicit RingLink(std::size_t limit) : limit_(limit) {
    shm::Layout layout;
    layout.rings = {shm::ring_spec<Message>("there", kSlots, shm::RingPolicy::kRefuse, kParentRole,
                                            kPartnerRole),
                    shm::ring_spec<Message>("back", kSlots, shm::RingPolicy::kRefuse, kPartnerRole,
                                            kParentRole)};
    folder_.create(layout);
  }
  [[nodiscard]] Side open(End end) const {
    return end == End::kParent ? Side(folder_.dir(), kParentRole, "there", "back", limit_)
                               : Side(folder_.dir(), kPartnerRole, "back", "there", limit_);
  }

 private:
  LayoutFolder folder_;
  std::size_t limit_;
};

}  // namespace sluice::bench
