// The operator's kill words: the one file with several writers.
//
// Any operator process may set a word at any time; no lock, no role: setting must always work.
// Invariants:
//  1. `set` only adds bits (an atomic or), so two operators cannot undo each other and repeating is
//     harmless.
//  2. `clear` needs the operator's role lock.
#pragma once

#include <cstdint>
#include <string>

#include "shm/instance.hpp"
#include "shm/role.hpp"

namespace sluice::shm {

// Scope 0 is everything; what the others mean is the trading layer's.
inline constexpr std::uint32_t kTripScopes = 128;
inline constexpr std::uint32_t kTripScopeEverything = 0;
inline constexpr const char* kOperatorRole = "operator";

class OperatorTrip {
 public:
  // Adds the bits of `word` (not 0) to the scope. Throws AttachError when there is no layout.
  static void set(const std::string& dir, std::uint32_t scope, std::uint64_t word);
  // Throws Error(kBug) when the lock is not this folder's operator role.
  static void clear(const std::string& dir, std::uint32_t scope, const RoleLock& operator_role);

  class View {
   public:
    explicit View(const Instance& instance);
    [[nodiscard]] std::uint64_t word(std::uint32_t scope) const noexcept;
    // The scope's own word or the one for everything is set. A scope that does not exist counts as
    // set, and so does a file that was cut short: unknown is never a permission.
    [[nodiscard]] bool any(std::uint32_t scope) const noexcept;

   private:
    Segment segment_;
  };
};

}  // namespace sluice::shm
