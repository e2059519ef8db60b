// The text of a zip archive with one file in it, as LEAN ships its data. A cold tool.
#pragma once

#include <cstddef>
#include <string>

namespace sluice::convert {

// The largest file of the recorded data has 40 MB. A larger one is refused before it is inflated.
inline constexpr std::size_t kZipTextMax = std::size_t{1} << 30;

// Throws Error: kResource when `path` cannot be opened, kConfig when it is no archive with exactly
// one file, or is damaged. Either names the path and the remedy.
[[nodiscard]] std::string read_zip_text(const std::string& path);

}  // namespace sluice::convert
