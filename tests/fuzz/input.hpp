// FuzzInput: the bytes of one fuzzer run, taken as a script. Reads beyond the end are zeros, so
// every byte string is a whole script and no length is an error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::fuzz {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) noexcept : data_(data), left_(size) {}

  [[nodiscard]] bool done() const noexcept { return left_ == 0; }

  [[nodiscard]] std::uint8_t byte() noexcept {
    if (left_ == 0)
      return 0;
    --left_;
    return *data_++;
  }
  [[nodiscard]] std::uint64_t word() noexcept {
    std::uint64_t word = 0;
    for (int i = 0; i < 8; ++i)
      word |= std::uint64_t{byte()} << (8 * i);
    return word;
  }
  // `n` up to 65,536.
  [[nodiscard]] std::size_t below(std::size_t n) noexcept {
    const std::size_t low = byte();
    return n <= 256 ? low % n : (low | std::size_t{byte()} << 8) % n;
  }
  // A number where boundaries lie close together: near one of the two anchors, near 0, near 2^63, a
  // power of two, or any.
  [[nodiscard]] std::uint64_t number(std::uint64_t anchor, std::uint64_t other) noexcept {
    const std::uint8_t how = byte();
    const std::uint64_t offset = std::uint64_t{byte()} - 128;
    switch (how % 8) {
      case 0:
      case 1:
        return anchor + offset;
      case 2:
        return other + offset;
      case 3:
        return offset;
      case 4:
        return (std::uint64_t{1} << 63) + offset;
      case 5:
        return std::uint64_t{1} << (offset % 64);
      default:
        return word();
    }
  }
  // Fills any record with the next bytes.
  template <class T>
  void fill(T& record) noexcept {
    std::array<std::uint8_t, sizeof(T)> bytes;
    for (std::uint8_t& each : bytes)
      each = byte();
    std::memcpy(&record, bytes.data(), sizeof(T));
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

// What must hold whatever the bytes. libFuzzer and ctest both take an abort for a finding.
inline void require(bool condition, const char* what) noexcept {
  if (condition)
    return;
  std::fprintf(stderr, "fuzz: broken: %s\n", what);
  std::abort();
}

}  // namespace sluice::fuzz
