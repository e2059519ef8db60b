// faults.hpp — what the simulator does wrong on request, and when.
//
// Pure. Faults are asked for as text, by --fault or POST /sim/fault:
//   cut-after-accept:N   every Nth accepted order (counted from 1) is cut off before its answer:
//   the
//                        order lives, the client cannot know
//   off                  none
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace sluice::sim {

class Faults {
 public:
  // False when the text is not one of the above; nothing changed then.
  [[nodiscard]] bool set(std::string_view text) noexcept {
    constexpr std::string_view kCut = "cut-after-accept:";
    if (text == "off") {
      cut_every_ = 0;
      return true;
    }
    if (!text.starts_with(kCut)) {
      return false;
    }
    text.remove_prefix(kCut.size());
    std::uint32_t every = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), every);
    if (error != std::errc{} || end != text.data() + text.size() || every == 0) {
      return false;
    }
    cut_every_ = every;
    accepted_ = 0;
    return true;
  }

  // Called once per accepted order: is its answer lost?
  [[nodiscard]] bool cut_this_answer() noexcept {
    const bool cut = cut_every_ != 0 && ++accepted_ % cut_every_ == 0;
    cuts_ += cut ? 1U : 0U;
    return cut;
  }

  [[nodiscard]] std::uint64_t cuts() const noexcept { return cuts_; }

 private:
  std::uint32_t cut_every_{0};
  std::uint64_t accepted_{0};
  std::uint64_t cuts_{0};
};

}  // namespace sluice::sim
