#include "tools/venue_sim/variants.hpp"

#include <array>

namespace sluice::sim {
namespace {

struct Known {
  std::string_view name;
  bool Variants::*field;
  std::string_view yes;
  std::string_view no;
};

constexpr std::array<Known, 15> kKnown{{
    {"post-status", &Variants::post_accepted, "accepted", "pending_new"},
    {"pending-new-event", &Variants::pending_new_event, "on", "off"},
    {"pending-cancel-event", &Variants::pending_cancel_event, "on", "off"},
    {"pending-replace-event", &Variants::pending_replace_event, "on", "off"},
    {"held-event", &Variants::held_event, "on", "off"},
    {"replaced-event", &Variants::replaced_first, "before", "after"},
    {"replace-filled", &Variants::replace_carries, "carried", "own"},
    {"cancel-in-replace", &Variants::cancel_in_replace, "accepted", "refused"},
    {"repeat-cancel", &Variants::repeat_cancel_ok, "204", "422"},
    {"frames", &Variants::binary_frames, "binary", "text"},
    {"early-listen", &Variants::early_listen_answered, "answered", "dropped"},
    {"offsets", &Variants::mixed_offsets, "mixed", "utc"},
    {"execution-id", &Variants::id_on_every_event, "every", "fills"},
    {"short-side", &Variants::sell_short_side, "sell_short", "sell"},
    {"wash-status", &Variants::wash_is_403, "403", "422"},
}};

}  // namespace

bool set_variant(Variants& variants, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return false;
  }
  const std::string_view value = text.substr(equals + 1);
  for (const Known& known : kKnown) {
    if (known.name == text.substr(0, equals) && (value == known.yes || value == known.no)) {
      variants.*known.field = value == known.yes;
      return true;
    }
  }
  return false;
}

std::string known_variants() {
  std::string text;
  for (const Known& known : kKnown) {
    text += text.empty() ? "" : ", ";
    text.append(known.name).append("=").append(known.yes).append("|").append(known.no);
  }
  return text;
}

}  // namespace sluice::sim
