// A board that an instance must have, and why it cannot be read when it cannot.
//
// A board without a file, with a spoilt header, or cut short since it was attached has no rows that
// mean anything: load() refuses them, and trouble() says so. What is unknown must not look like
// what is not there yet.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/base/error.hpp"
#include "shm/board.hpp"
#include "shm/segment.hpp"
#include "tools/shm_top/attach_trouble.hpp"

namespace sluice::top {

template <class Row>
class BoardSource {
 public:
  BoardSource(const shm::Instance& instance, std::string name) : name_(std::move(name)) {
    try {
      reader_.emplace(instance, name_);
    } catch (const Error& error) {
      trouble_ = attach_trouble(instance.dir(), error);
    }
  }

  [[nodiscard]] bool readable() const noexcept { return reader_ && !reader_->writer_hostile(); }
  // As its header said when it was attached, also when it was cut since; 0: never attached.
  [[nodiscard]] std::uint32_t rows() const noexcept { return reader_ ? reader_->rows() : 0; }
  // `row` means something only when this is true.
  [[nodiscard]] bool load(std::uint32_t i, Row& row) const noexcept {
    return reader_ && reader_->load(i, row) == shm::BoardRead::kOk && !reader_->writer_hostile();
  }
  // Empty while the board can be read.
  [[nodiscard]] std::string trouble() const {
    if (!reader_)
      return trouble_;
    // Only who reads where bytes are missing finds out that they are: the last row is the first to
    // go.
    Row last;
    if (reader_->rows() != 0)
      static_cast<void>(reader_->load(reader_->rows() - 1, last));
    return reader_->writer_hostile() ? shm::board_file(name_) + " was cut short" : "";
  }

 private:
  std::string name_;
  std::string trouble_;
  std::optional<shm::BoardReader<Row>> reader_;
};

}  // namespace sluice::top
