// variants.hpp — what nobody outside the venue knows for certain, as switches.
//
// A client must be right under every variant; the defaults are what was seen on paper accounts, or
// the reading that asks more of the client. Parsed here and nowhere else; the table of all of them
// is in README.md.
#pragma once

#include <string>
#include <string_view>

namespace sluice::sim {

struct Variants {
  bool post_accepted{false};         // post-status=pending_new|accepted
  bool pending_new_event{true};      // pending-new-event=on|off
  bool pending_cancel_event{true};   // pending-cancel-event=on|off
  bool pending_replace_event{true};  // pending-replace-event=on|off
  bool held_event{true};             // held-event=on|off
  bool replaced_first{true};         // replaced-event=before|after the successor's "new"
  bool replace_carries{false};       // replace-filled=own|carried
  bool cancel_in_replace{true};      // cancel-in-replace=accepted|refused
  bool repeat_cancel_ok{true};       // repeat-cancel=204|422
  bool binary_frames{true};          // frames=binary|text
  bool early_listen_answered{true};  // early-listen=answered|dropped
  bool mixed_offsets{false};         // offsets=utc|mixed: event times of fills in New York time
  bool id_on_every_event{true};      // execution-id=every|fills
  bool sell_short_side{false};       // short-side=sell|sell_short, in FILL activities
  bool wash_is_403{true};            // wash-status=403|422
};

// "name=value" as above. False when there is no such name or value; nothing changed then.
[[nodiscard]] bool set_variant(Variants& variants, std::string_view text);

// All names with their values, for messages: "post-status=pending_new|accepted, …".
[[nodiscard]] std::string known_variants();

}  // namespace sluice::sim
