// Planted faults: known bugs that a test switches on to prove that the judges of a run notice them.
//
// In an ordinary build SLUICE_PLANTED(n) is the constant false and the faulty branch is not
// compiled into the binary. With -DSLUICE_PLANT_BUGS=ON it is true when the environment variable
// SLUICE_PLANTED_BUG equals n.
#pragma once

#if defined(SLUICE_PLANT_BUGS)

#include <cstdlib>

namespace sluice {

// The number in SLUICE_PLANTED_BUG, or 0. Read once: a run has one planted bug or none.
inline int planted_bug() noexcept {
  static const int number = [] {
    const char* text = std::getenv("SLUICE_PLANTED_BUG");
    return text != nullptr ? static_cast<int>(std::strtol(text, nullptr, 10)) : 0;
  }();
  return number;
}

}  // namespace sluice

#define SLUICE_PLANTED(n) (::sluice::planted_bug() == (n))

#else

#define SLUICE_PLANTED(n) (false)

#endif
