// Names and sizes of the files, shared by those who create, verify and inspect them. Internal to
// shm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shm/board.hpp"
#include "shm/ring.hpp"
#include "shm/role.hpp"
#include "shm/segment.hpp"

namespace sluice::shm {

[[nodiscard]] constexpr std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}
[[nodiscard]] constexpr std::size_t ring_data_bytes(std::uint64_t slots,
                                                    std::uint32_t slot_bytes) noexcept {
  return whole_pages(kRingSlotsOffset + slots * slot_bytes);
}
[[nodiscard]] constexpr std::size_t ring_cursor_bytes() noexcept {
  return kRingWordsOffset + kPageBytes;
}
[[nodiscard]] constexpr std::size_t board_bytes(std::uint64_t rows,
                                                std::uint32_t row_bytes) noexcept {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  return whole_pages(kBoardRowsOffset + rows * board_row_words(row_bytes / kWord) * kWord);
}
[[nodiscard]] constexpr std::size_t control_bytes() noexcept {
  return kHeaderBytes + kPageBytes;
}
[[nodiscard]] constexpr std::size_t operator_trip_bytes() noexcept {
  return kHeaderBytes + kPageBytes;
}

inline constexpr std::string_view kTemporarySuffix = ".tmp";
inline constexpr std::string_view kRingDataSuffix = ".data";

// Our files in a folder, unfinished ones included, the control segment first. Never the lock files.
[[nodiscard]] std::vector<std::string> segment_files(const std::string& dir);

// The locks of `roles`, of the operator and of every role that ever was in this folder. Throws
// Error(kRoleTaken) when one is held.
[[nodiscard]] std::vector<RoleLock> take_all_roles(const std::string& dir,
                                                   std::set<std::string> roles,
                                                   const std::string& purpose);

}  // namespace sluice::shm
