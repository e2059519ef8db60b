#include "shm/segment.hpp"

#include <algorithm>

namespace sluice::shm {

const char* to_string(SegmentKind kind) noexcept {
  switch (kind) {
    case SegmentKind::kControl:
      return "control segment";
    case SegmentKind::kRingData:
      return "ring data";
    case SegmentKind::kRingCursor:
      return "ring cursor";
    case SegmentKind::kBoard:
      return "board";
    case SegmentKind::kStagePage:
      return "stage page";
    case SegmentKind::kOperatorTrip:
      return "operator's trip words";
  }
  return "unknown kind";
}

const char* to_string(AttachStatus status) noexcept {
  switch (status) {
    case AttachStatus::kReady:
      return "ready";
    case AttachStatus::kNotYet:
      return "not yet";
    case AttachStatus::kWrongLayout:
      return "wrong layout";
    case AttachStatus::kWrongSize:
      return "wrong size";
    case AttachStatus::kWrongGeneration:
      return "wrong generation";
    case AttachStatus::kRoleTaken:
      return "role taken";
  }
  return "unknown status";
}

std::string_view view_of(const FixedName& name) noexcept {
  const auto* const end = std::find(name.begin(), name.end(), '\0');
  return {name.data(), static_cast<std::size_t>(end - name.begin())};
}

bool is_plain_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMaxNameBytes && name[0] != '.' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == name.npos;
}

std::string control_file() {
  return "control";
}
std::string operator_trip_file() {
  return "trip.operator";
}
std::string ring_data_file(std::string_view ring) {
  return "ring." + std::string(ring) + ".data";
}
std::string ring_cursor_file(std::string_view ring) {
  return "ring." + std::string(ring) + ".cursor";
}
std::string board_file(std::string_view board) {
  return "board." + std::string(board);
}
std::string stage_file(std::string_view stage) {
  return "stage." + std::string(stage);
}
std::string locks_folder(const std::string& dir) {
  return dir + "/locks";
}

}  // namespace sluice::shm
