#include "common/base/id.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice {
namespace {

constexpr Id128 kId{0x0123'4567'89ab'cdefULL, 0xfedc'ba98'7654'3210ULL};

TEST(Uuid, FormatsLowerCaseInFiveGroups) {
  EXPECT_EQ(to_string(kId), "01234567-89ab-cdef-fedc-ba9876543210");
  EXPECT_EQ(to_string(Id128{}), "00000000-0000-0000-0000-000000000000");
}

TEST(Uuid, ReadsEitherCase) {
  Id128 id;
  EXPECT_TRUE(parse_uuid("01234567-89ab-cdef-fedc-ba9876543210", id));
  EXPECT_EQ(id, kId);
  EXPECT_TRUE(parse_uuid("01234567-89AB-CDEF-FEDC-BA9876543210", id));
  EXPECT_EQ(id, kId);
}

TEST(Uuid, RefusesEveryOtherShape) {
  for (const char* text :
       {"", "01234567-89ab-cdef-fedc-ba987654321", "01234567-89ab-cdef-fedc-ba98765432100",
        "01234567089ab-cdef-fedc-ba9876543210", "0123456789abcdeffedcba9876543210",
        "{1234567-89ab-cdef-fedc-ba987654321}", "g1234567-89ab-cdef-fedc-ba9876543210",
        "01234567-89ab-cdef-fedc-ba987654321 ", "01234567-89ab-cdef-fed-cba9876543210"}) {
    Id128 id = kId;
    EXPECT_FALSE(parse_uuid(text, id)) << text;
    EXPECT_EQ(id, kId) << "a refused text must not write";
  }
}

TEST(RandomId, IsAVersionFourUuid) {
  const std::string text = to_string(random_id());
  EXPECT_EQ(text[14], '4');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
}

TEST(RandomId, DoesNotRepeatAndSurvivesItsText) {
  std::set<Id128> seen;
  for (int i = 0; i < 1'000; ++i) {
    const Id128 id = random_id();
    EXPECT_FALSE(id.is_zero());
    EXPECT_TRUE(seen.insert(id).second);
    Id128 back;
    ASSERT_TRUE(parse_uuid(to_string(id), back));
    EXPECT_EQ(back, id);
  }
}

TEST(Id128, OrdersByTheHighHalfFirst) {
  EXPECT_LT((Id128{1, 9}), (Id128{2, 0}));
  EXPECT_LT((Id128{1, 1}), (Id128{1, 2}));
  EXPECT_TRUE(Id128{}.is_zero());
  EXPECT_FALSE((Id128{0, 1}).is_zero());
}

}  // namespace
}  // namespace sluice
