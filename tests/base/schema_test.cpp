// A schema hash changes with whatever changes a record's bytes or their meaning, and with nothing
// else.
#include "common/base/schema.hpp"

#include <gtest/gtest.h>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"

namespace sluice {
namespace {

// The same record's name in several namespaces, so that only the field under test differs.
namespace original {
enum class Side : std::uint8_t { kBuy, kSell };
struct Record {
  Id128 id;
  Price px;
  Qty levels[2];
  std::array<std::uint8_t, 6> reserved;
  Side side;
  bool live;
};
SLUICE_SCHEMA(Record, id, px, levels, reserved, side, live);
}  // namespace original

namespace same_again {
enum class Side : std::uint8_t { kBuy, kSell };
struct Record {
  Id128 id;
  Price px;
  Qty levels[2];
  std::array<std::uint8_t, 6> reserved;
  Side side;
  bool live;
};
SLUICE_SCHEMA(Record, id, px, levels, reserved, side, live);
}  // namespace same_again

namespace renamed {
struct Record {
  std::uint64_t a;
};
SLUICE_SCHEMA(Record, a);
}  // namespace renamed
namespace renamed_field {
struct Record {
  std::uint64_t b;
};
SLUICE_SCHEMA(Record, b);
}  // namespace renamed_field
namespace signed_field {
struct Record {
  std::int64_t a;
};
SLUICE_SCHEMA(Record, a);
}  // namespace signed_field
namespace strong_field {
struct Record {
  Price a;
};
SLUICE_SCHEMA(Record, a);
}  // namespace strong_field
namespace other_strong_field {
struct Record {
  Qty a;
};
SLUICE_SCHEMA(Record, a);
}  // namespace other_strong_field
namespace array_field {
struct Record {
  std::uint32_t a[2];
};
SLUICE_SCHEMA(Record, a);
}  // namespace array_field
namespace std_array_field {
struct Record {
  std::array<std::uint32_t, 2> a;
};
SLUICE_SCHEMA(Record, a);
}  // namespace std_array_field
namespace swapped {
struct Record {
  std::uint32_t a;
  std::uint32_t b;
};
SLUICE_SCHEMA(Record, a, b);
}  // namespace swapped
namespace swapped_back {
struct Record {
  std::uint32_t b;
  std::uint32_t a;
};
SLUICE_SCHEMA(Record, b, a);
}  // namespace swapped_back

TEST(Schema, IsAConstantOfTheRecordsShape) {
  static_assert(kSchemaHash<original::Record> != 0);
  EXPECT_EQ(kSchemaHash<original::Record>, kSchemaHash<same_again::Record>);
}

TEST(Schema, ChangesWithAFieldsName) {
  EXPECT_NE(kSchemaHash<renamed::Record>, kSchemaHash<renamed_field::Record>);
}

TEST(Schema, ChangesWithAFieldsSign) {
  EXPECT_NE(kSchemaHash<renamed::Record>, kSchemaHash<signed_field::Record>);
}

TEST(Schema, ChangesWithAFieldsStrongType) {
  EXPECT_NE(kSchemaHash<signed_field::Record>, kSchemaHash<strong_field::Record>);
  EXPECT_NE(kSchemaHash<strong_field::Record>, kSchemaHash<other_strong_field::Record>);
}

TEST(Schema, ChangesWhenAFieldBecomesAnArray) {
  EXPECT_NE(kSchemaHash<renamed::Record>, kSchemaHash<array_field::Record>);
}

TEST(Schema, TreatsBothKindsOfArrayAlike) {
  EXPECT_EQ(kSchemaHash<array_field::Record>, kSchemaHash<std_array_field::Record>);
}

TEST(Schema, ChangesWithTheOrderOfFields) {
  EXPECT_NE(kSchemaHash<swapped::Record>, kSchemaHash<swapped_back::Record>);
}

union Payload {
  Price px;
  std::array<std::int64_t, 4> words;
};
SLUICE_SCHEMA(Payload, px, words);

struct Carrier {
  std::uint64_t kind;
  Payload payload;
};
SLUICE_SCHEMA(Carrier, kind, payload);

TEST(Schema, DescribesUnionsInsideRecords) {
  static_assert(sizeof(Carrier) == 40);
  EXPECT_NE(kSchemaHash<Carrier>, kSchemaHash<Payload>);
}

struct Wide {
  std::uint16_t f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15;
  std::uint16_t f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31;
  std::uint16_t f32, f33, f34, f35, f36, f37, f38, f39;
};
SLUICE_SCHEMA(Wide, f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15,
              f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,
              f33, f34, f35, f36, f37, f38, f39);

TEST(Schema, TakesFortyFields) {
  EXPECT_NE(kSchemaHash<Wide>, 0U);
}

// What the macro's static_assert refuses, asked of the function behind it.
TEST(Schema, FieldsMustCoverTheRecordWithoutAHole) {
  using schema::Field;
  using schema::fields_cover;
  static_assert(fields_cover(std::array{Field{"a", 0, 4}, Field{"b", 4, 4}}, 8, false));
  static_assert(!fields_cover(std::array{Field{"a", 0, 4}, Field{"b", 8, 8}}, 16, false), "hole");
  static_assert(!fields_cover(std::array{Field{"a", 0, 8}, Field{"b", 8, 4}}, 16, false), "tail");
  static_assert(!fields_cover(std::array{Field{"b", 4, 4}, Field{"a", 0, 4}}, 8, false), "order");
  static_assert(!fields_cover(std::array{Field{"b", 4, 4}}, 8, false), "first field left out");
  static_assert(!fields_cover(std::array{Field{"a", 0, 4}}, 8, true), "union padded");
  static_assert(!fields_cover(std::array{Field{"a", 4, 4}}, 4, true), "union member not at 0");
}

TEST(Schema, HashesWithFnv1a) {
  // Reference values of FNV-1a 64 (Fowler, Noll, Vo).
  static_assert(schema::fnv1a(schema::kFnvBasis, "") == 0xcbf29ce484222325ULL);
  static_assert(schema::fnv1a(schema::kFnvBasis, "a") == 0xaf63dc4c8601ec8cULL);
  static_assert(schema::fnv1a(schema::kFnvBasis, "foobar") == 0x85944171f73967e8ULL);
}

}  // namespace
}  // namespace sluice
