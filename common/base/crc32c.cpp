#include "common/base/crc32c.hpp"

#include <immintrin.h>

#include <array>
#include <cstring>

namespace sluice {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f6'3b78U;  // bit i is the coefficient of x^(31-i)

constexpr auto kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    }
    table[byte] = crc;
  }
  return table;
}();

// x^exponent modulo the polynomial, in the reflected bit order of the checksum.
constexpr std::uint32_t power_of_x(unsigned exponent) noexcept {
  std::uint32_t value = 0x8000'0000U;  // x^0
  for (unsigned i = 0; i < exponent; ++i) {
    value = (value >> 1) ^ ((value & 1U) != 0 ? kPolynomial : 0U);
  }
  return value;
}

// The crc32 instruction takes 3 cycles but one can start every cycle: three independent lanes of
// kLane bytes run beside each other, and their checksums are joined by a carry-less multiplication
// (V. Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel
// 2011). 80 bytes let a 256-byte journal record take this path once.
constexpr std::size_t kLane = 80;
constexpr std::size_t kWordsPerLane = kLane / 8;
static_assert(kLane % 8 == 0);

// Appending n zero bytes multiplies a checksum by x^(8n). The reflected product of two 32-bit
// values comes out one bit low, and reducing 64 bits with the crc32 instruction multiplies by x^32:
// hence 33 less.
constexpr std::uint32_t kShiftOneLane = power_of_x(8 * kLane - 33);
constexpr std::uint32_t kShiftTwoLanes = power_of_x(16 * kLane - 33);

std::uint64_t load_word(const unsigned char* p) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

__attribute__((target("sse4.2,pclmul"))) std::uint64_t multiply(std::uint64_t crc,
                                                                std::uint32_t factor) noexcept {
  const __m128i product =
      _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                           _mm_cvtsi64_si128(static_cast<long long>(factor)), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t crc32c_hardware(
    const void* data, std::size_t size, std::uint32_t seed) noexcept {
  const auto* p = static_cast<const unsigned char*>(data);
  std::uint64_t crc = static_cast<std::uint32_t>(~seed);
  for (; size >= 3 * kLane; size -= 3 * kLane, p += 3 * kLane) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kWordsPerLane; ++i) {
      crc = _mm_crc32_u64(crc, load_word(p + 8 * i));
      second = _mm_crc32_u64(second, load_word(p + kLane + 8 * i));
      third = _mm_crc32_u64(third, load_word(p + 2 * kLane + 8 * i));
    }
    const std::uint64_t joined = multiply(crc, kShiftTwoLanes) ^ multiply(second, kShiftOneLane);
    crc = _mm_crc32_u64(0, joined) ^ third;
  }
  for (; size >= 8; size -= 8, p += 8) {
    crc = _mm_crc32_u64(crc, load_word(p));
  }
  auto crc32 = static_cast<std::uint32_t>(crc);
  for (; size > 0; --size, ++p) {
    crc32 = _mm_crc32_u8(crc32, *p);
  }
  return ~crc32;
}

bool has_instructions() noexcept {
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
}

}  // namespace

std::uint32_t crc32c_portable(const void* data, std::size_t size, std::uint32_t seed) noexcept {
  const auto* p = static_cast<const unsigned char*>(data);
  std::uint32_t crc = ~seed;
  for (std::size_t i = 0; i < size; ++i) {
    crc = (crc >> 8) ^ kTable[(crc ^ p[i]) & 0xffU];
  }
  return ~crc;
}

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t seed) noexcept {
  static const bool in_hardware = has_instructions();
  return in_hardware ? crc32c_hardware(data, size, seed) : crc32c_portable(data, size, seed);
}

}  // namespace sluice
