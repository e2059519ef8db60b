// Durable incarnation numbers: raised and on disk before first use, so no id is ever used twice.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

// Raises the counter in `<state_dir>/incarnation.<role>` and returns the new value (from 1 on). The
// file is replaced atomically; file and folder are on disk when this returns. The caller holds the
// role, so there is one caller at a time.
// Throws Error{kResource} naming the file when it cannot be written, or when its content is no
// number (then nothing is changed: an unreadable counter is never taken for zero).
[[nodiscard]] std::uint32_t raise_incarnation(const std::string& state_dir,
                                              const std::string& role);

}  // namespace sluice
