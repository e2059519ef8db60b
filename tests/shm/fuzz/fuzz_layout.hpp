// A small layout of every kind of file for the fuzz targets of shared memory, and a peer's hands on
// them: file bytes that are written past every rule. Made once per process, removed at its end.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/schema.hpp"
#include "shm/board.hpp"
#include "shm/layout.hpp"
#include "shm/layout_files.hpp"
#include "shm/ring.hpp"
#include "shm/stage_page.hpp"
#include "tests/fuzz/input.hpp"

namespace sluice::shm::fuzz {

using sluice::fuzz::FuzzInput;
using sluice::fuzz::require;

struct Line {
  std::array<std::uint64_t, 7> words;
};
struct Row {
  std::array<std::uint64_t, 31> words;
};
SLUICE_SCHEMA(Line, words);
SLUICE_SCHEMA(Row, words);

enum class Metric : std::uint32_t { kCounter, kGauge, kHistogram, kCount };
inline constexpr auto kRows =
    metric_rows<Metric>({{Metric::kCounter, "counter", "1", MetricKind::kCounter},
                         {Metric::kGauge, "gauge", "1", MetricKind::kGauge},
                         {Metric::kHistogram, "histogram", "ns", MetricKind::kHistogram}});
inline constexpr MetricTable kMetrics{kRows};

inline constexpr std::uint64_t kSlots = 8;
inline constexpr std::uint32_t kBoardRows = 4;
inline constexpr std::uint64_t kInitial = ~std::uint64_t{0} - 3;  // positions wrap in every run

class FuzzLayout {
 public:
  FuzzLayout() : dir_("/dev/shm/sluice-fuzz-" + std::to_string(getpid())) {
    Layout layout;
    layout.dir = dir_;
    layout.build_id = 1;
    layout.rings.push_back(
        ring_spec<Line>("md", kSlots, RingPolicy::kConflate, "producer", "consumer"));
    layout.rings.back().initial_sequence = kInitial;
    layout.boards.push_back(board_spec<Row>("quotes", kBoardRows, "producer"));
    layout.pages.push_back({"producer", &kMetrics});
    create_layout(layout, false);
    for (const std::string& file : segment_files(dir_)) {
      File each{path(file), open(path(file).c_str(), O_RDWR | O_CLOEXEC), {}};
      require(each.descriptor >= 0, "cannot open what was just made");
      struct stat status {};
      require(fstat(each.descriptor, &status) == 0, "cannot examine what was just made");
      each.image.resize(static_cast<std::size_t>(status.st_size));
      require(pread(each.descriptor, each.image.data(), each.image.size(), 0) == status.st_size,
              "cannot read what was just made");
      files_.push_back(std::move(each));
    }
    locks_.push_back(RoleLock::acquire(dir_, "producer", "a fuzz target"));
    locks_.push_back(RoleLock::acquire(dir_, "consumer", "a fuzz target"));
  }
  ~FuzzLayout() { std::filesystem::remove_all(dir_); }
  FuzzLayout(const FuzzLayout&) = delete;
  FuzzLayout& operator=(const FuzzLayout&) = delete;

  [[nodiscard]] const std::string& dir() const noexcept { return dir_; }
  [[nodiscard]] std::string path(const std::string& file) const { return dir_ + '/' + file; }
  [[nodiscard]] Instance attach() const {
    return Instance::attach(dir_, std::chrono::milliseconds{0});
  }
  [[nodiscard]] std::size_t files() const noexcept { return files_.size(); }
  [[nodiscard]] std::size_t file_bytes(std::size_t i) const { return files_[i].image.size(); }
  [[nodiscard]] std::size_t index_of(const std::string& file) const {
    for (std::size_t i = 0; i < files_.size(); ++i)
      if (files_[i].path == path(file))
        return i;
    require(false, "no such file in the layout");
    return 0;
  }

  // Every file as it was made, and no longer or shorter.
  void restore() {
    for (File& file : files_) {
      require(pwrite(file.descriptor, file.image.data(), file.image.size(), 0) ==
                  static_cast<ssize_t>(file.image.size()),
              "cannot restore a file");
      resize(file, file.image.size());
    }
  }
  void write(std::size_t i, std::size_t offset, const void* bytes, std::size_t size) {
    require(pwrite(files_[i].descriptor, bytes, size, static_cast<off_t>(offset)) ==
                static_cast<ssize_t>(size),
            "cannot write a file");
  }
  void cut_or_extend(std::size_t i, std::size_t bytes) { resize(files_[i], bytes); }
  // What the file really occupies.
  [[nodiscard]] std::uint64_t occupied(std::size_t i) const {
    struct stat status {};
    require(fstat(files_[i].descriptor, &status) == 0, "cannot examine a file");
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }

 private:
  struct File {
    std::string path;
    int descriptor;
    std::vector<std::uint8_t> image;
  };
  static void resize(const File& file, std::size_t bytes) {
    require(ftruncate(file.descriptor, static_cast<off_t>(bytes)) == 0, "cannot resize a file");
  }

  std::string dir_;
  std::vector<File> files_;
  std::vector<RoleLock> locks_;
};

inline FuzzLayout& fuzz_layout() {
  static FuzzLayout layout;
  return layout;
}

// The words of a mapping, for a peer that writes whatever it likes. Stands for another process's
// mapping of its own file.
inline std::uint64_t* hands_on(const Region& region, std::size_t offset) noexcept {
  return region.at<std::uint64_t>(offset);
}

}  // namespace sluice::shm::fuzz
