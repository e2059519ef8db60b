#include "common/base/crc32c.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

// RFC 3720 (iSCSI), appendix B.4.
TEST(Crc32c, MatchesTheVectorsOfTheIscsiStandard) {
  std::array<unsigned char, 32> block{};
  EXPECT_EQ(crc32c(block.data(), block.size()), 0x8a91'36aaU);
  block.fill(0xff);
  EXPECT_EQ(crc32c(block.data(), block.size()), 0x62a8'ab43U);
  std::iota(block.begin(), block.end(), static_cast<unsigned char>(0));
  EXPECT_EQ(crc32c(block.data(), block.size()), 0x46dd'794eU);
}

TEST(Crc32c, MatchesTheCheckValue) {
  constexpr std::string_view kCheck = "123456789";
  EXPECT_EQ(crc32c(kCheck.data(), kCheck.size()), 0xe306'9283U);
  EXPECT_EQ(crc32c_portable(kCheck.data(), kCheck.size()), 0xe306'9283U);
}

TEST(Crc32c, OfNothingIsTheSeed) {
  EXPECT_EQ(crc32c(nullptr, 0), 0U);
  EXPECT_EQ(crc32c(nullptr, 0, 77), 77U);
}

TEST(Crc32c, HardwareAndTableAgreeAtEveryLengthAndAlignment) {
  std::mt19937 random(32);
  std::vector<unsigned char> bytes(700);
  for (unsigned char& byte : bytes) {
    byte = static_cast<unsigned char>(random());
  }
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t size = 0; size + offset <= bytes.size(); ++size) {
      ASSERT_EQ(crc32c(bytes.data() + offset, size, 5),
                crc32c_portable(bytes.data() + offset, size, 5))
          << offset << '+' << size;
    }
  }
}

TEST(Crc32c, ContinuesFromASeedAtEverySplit) {
  std::vector<unsigned char> bytes(300);
  std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(3));
  const std::uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    const std::uint32_t first = crc32c(bytes.data(), split);
    ASSERT_EQ(crc32c(bytes.data() + split, bytes.size() - split, first), whole) << split;
  }
}

TEST(Crc32c, NoticesEverySingleBitFlip) {
  std::array<unsigned char, 64> block{};
  const std::uint32_t clean = crc32c(block.data(), block.size());
  for (std::size_t bit = 0; bit < block.size() * 8; ++bit) {
    block[bit / 8] ^= static_cast<unsigned char>(1U << (bit % 8));
    EXPECT_NE(crc32c(block.data(), block.size()), clean) << bit;
    block[bit / 8] ^= static_cast<unsigned char>(1U << (bit % 8));
  }
}

}  // namespace
}  // namespace sluice
