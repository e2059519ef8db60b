// The five tables of the screen: which columns, in which order, and what in them is alarming. Pure.
#pragma once

#include <string>

#include "tools/shm_top/snapshot.hpp"
#include "tools/shm_top/table.hpp"
#include "tools/shm_top/view.hpp"

namespace sluice::top {

// How many ways a panel can be sorted; the first is the natural one.
[[nodiscard]] std::size_t sort_keys(Panel panel) noexcept;

// The panel's rows that pass the filter, sorted as the view says.
[[nodiscard]] Table panel_table(Panel panel, const Snapshot& snapshot, const View& view);

// What a ring did with records that found it full, in the words of its policy, and how many its
// consumer refused; "" for nothing.
[[nodiscard]] std::string loss_text(const RingFacts& ring, bool utf8);

// It lost records and its policy promises not to.
[[nodiscard]] bool broke_its_promise(const RingFacts& ring) noexcept;
// So full that the next burst meets its policy.
[[nodiscard]] bool nearly_full(const RingFacts& ring) noexcept;

}  // namespace sluice::top
