// Runs a fuzz target as a unit test, where there is no libFuzzer: many pseudo-random inputs, half
// of them mutations of earlier ones. No coverage guides it, so the targets take bytes as scripts.
//
// SLUICE_SEED=n repeats a run; the seed is printed. SLUICE_LONG=1 makes it ten times as long.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kLongestInput = 600;
constexpr std::size_t kKept = 64;

class Inputs {
 public:
  explicit Inputs(std::uint64_t seed) : random_(seed) {
    for (const std::size_t length : {0U, 1U, 8U, 64U, 512U})
      for (const unsigned value : {0x00U, 0x01U, 0x7fU, 0x80U, 0xffU})
        kept_.emplace_back(length, static_cast<std::uint8_t>(value));
  }

  // The fixed ones first, so that every run has them.
  Bytes next() {
    if (given_ < kept_.size())
      return kept_[given_++];
    Bytes input = below(2) == 0 ? fresh() : mutated();
    if (kept_.size() < kKept)
      kept_.push_back(input), ++given_;
    else
      kept_[below(kKept)] = input;
    return input;
  }

 private:
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  // Half of all bytes are ones at which something changes.
  std::uint8_t byte() {
    constexpr std::uint8_t kEdges[] = {0, 1, 2, 7, 8, 0x7f, 0x80, 0xff};
    return below(2) == 0 ? kEdges[below(std::size(kEdges))] : static_cast<std::uint8_t>(random_());
  }
  Bytes fresh() {
    Bytes bytes(below(kLongestInput));
    for (std::uint8_t& each : bytes)
      each = byte();
    return bytes;
  }
  Bytes mutated() {
    Bytes bytes = kept_[below(kept_.size())];
    for (std::size_t turns = 1 + below(8); turns != 0; --turns) {
      const std::size_t at = bytes.empty() ? 0 : below(bytes.size());
      switch (below(4)) {
        case 0:
          if (!bytes.empty())
            bytes[at] = byte();
          break;
        case 1:
          if (!bytes.empty())
            bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << below(8)));
          break;
        case 2:
          bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), byte());
          break;
        default:
          if (!bytes.empty())
            bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    return bytes;
  }

  std::mt19937_64 random_;
  std::vector<Bytes> kept_;
  std::size_t given_{0};
};

std::uint64_t wanted_seed() {
  const char* const text = std::getenv("SLUICE_SEED");
  return text != nullptr ? std::stoull(text) : std::random_device{}();
}

TEST(Fuzz, SLUICE_FUZZ_NAME) {
  const std::uint64_t seed = wanted_seed();
  const char* const longer = std::getenv("SLUICE_LONG");
  const int runs = SLUICE_FUZZ_RUNS * (longer != nullptr && std::string(longer) == "1" ? 10 : 1);
  std::printf("SLUICE_SEED=%llu, %d runs\n", static_cast<unsigned long long>(seed), runs);
  std::fflush(stdout);  // a finding ends the process
  Inputs inputs(seed);
  for (int run = 0; run < runs; ++run) {
    const Bytes input = inputs.next();
    // On the heap at its exact size, so that a sanitizer sees a read past the end.
    const Bytes exact(input.begin(), input.end());
    ASSERT_EQ(LLVMFuzzerTestOneInput(exact.data(), exact.size()), 0) << "run " << run;
  }
}

}  // namespace
