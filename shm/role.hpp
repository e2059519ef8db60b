// Roles: one kernel lock per role, held for a process's life and freed by the kernel when it dies.
//
// Start-up code only. Invariants:
//  1. A role is an F_OFD_SETLK write lock on `<dir>/locks/<role>` (mode 0600 in a folder of mode
//     0700, never unlinked, O_CLOEXEC), taken before anything is mapped writable.
//  2. Nobody tests by taking: `holder` asks with F_OFD_GETLK.
//  3. The holder's pid, start time and purpose stand in the file as text, for the message to a
//     second claimant. They prove nothing: the lock does.
//  4. A process that holds a role never forks without exec: the child would keep the lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::shm {

struct RoleHolder {
  std::int64_t pid{0};     // 0: the holder has not written its text yet
  std::uint64_t start{0};  // start time in clock ticks since boot, as in /proc/<pid>/stat
  std::string since;       // UTC, RFC 3339
  std::string purpose;
  bool alive{false};  // false: the pid is gone, so a child still has the descriptor open
};

class RoleLock {
 public:
  // Throws Error(kRoleTaken) naming pid, start time and purpose of the holder, or saying that it is
  // dead and a child still has the descriptor; Error(kResource) when the folder cannot be used.
  [[nodiscard]] static RoleLock acquire(const std::string& dir, const std::string& role,
                                        const std::string& purpose);

  // Who holds the role, without taking it. nullopt: nobody.
  [[nodiscard]] static std::optional<RoleHolder> holder(const std::string& dir,
                                                        const std::string& role);

  ~RoleLock();
  RoleLock(RoleLock&&) noexcept;
  RoleLock& operator=(RoleLock&&) noexcept;
  RoleLock(const RoleLock&) = delete;
  RoleLock& operator=(const RoleLock&) = delete;

  [[nodiscard]] const std::string& dir() const noexcept { return dir_; }
  [[nodiscard]] const std::string& role() const noexcept { return role_; }

 private:
  RoleLock(std::string dir, std::string role, int descriptor) noexcept;
  void release() noexcept;

  std::string dir_;
  std::string role_;
  int descriptor_{-1};
};

// One line about a holder for messages: "held by pid 123 (since …, risk)" or "held by a dead …".
[[nodiscard]] std::string describe(const RoleHolder& holder);

// True while this process holds the role. Attaching for writing asks this.
[[nodiscard]] bool role_held_here(const std::string& dir, const std::string& role);

}  // namespace sluice::shm
