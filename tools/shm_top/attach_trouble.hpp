// Why a segment cannot be attached, in the few words that a screen has room for.
#pragma once

#include <string>

#include "common/base/error.hpp"

namespace sluice::top {

// The error's own words without the folder, which already stands in the first line; for a file that
// is gone just that. Printable.
[[nodiscard]] std::string attach_trouble(const std::string& dir, const Error& error);

}  // namespace sluice::top
