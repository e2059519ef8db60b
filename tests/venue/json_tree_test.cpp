#include "common/venue/json_tree.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/venue/support.hpp"

namespace sluice::venue {
namespace {

DecodeStatus parse(JsonTree& tree, std::string_view text) {
  return tree.parse_copy(text);
}

TEST(JsonTree, ListsMembersInTheirOrderWithTypes) {
  JsonTree tree(1024, 64);
  ASSERT_EQ(parse(tree, R"({"a":1.50,"b":"x","c":[true,false,null],"d":{"e":-2e3}})"),
            DecodeStatus::kOk);
  std::vector<std::string> keys;
  for (const JsonNode& member : tree.children(tree.root())) {
    keys.emplace_back(member.key);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(tree.find(tree.root(), "a")->text, "1.50");
  EXPECT_EQ(tree.find(tree.root(), "b")->type, JsonType::kString);
  std::vector<JsonType> types;
  for (const JsonNode& element : tree.children(*tree.find(tree.root(), "c"))) {
    types.push_back(element.type);
  }
  EXPECT_EQ(types, (std::vector<JsonType>{JsonType::kTrue, JsonType::kFalse, JsonType::kNull}));
  EXPECT_EQ(tree.find(*tree.find(tree.root(), "d"), "e")->text, "-2e3");
  EXPECT_EQ(tree.find(tree.root(), "e"), nullptr);
}

TEST(JsonTree, UnescapesKeysAndStrings) {
  JsonTree tree(1024, 64);
  ASSERT_EQ(parse(tree, R"({"\u0061\n":"BTC\/USD \"q\" \u20ac"})"), DecodeStatus::kOk);
  const JsonNode* const member = tree.find(tree.root(), "a\n");
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->text, "BTC/USD \"q\" \xe2\x82\xac");
}

TEST(JsonTree, NumbersKeepTheirTextWithoutBlanksAroundThem) {
  JsonTree tree(1024, 64);
  ASSERT_EQ(parse(tree, "{\"a\": 1.0 \n ,\"b\":2\t}"), DecodeStatus::kOk);
  EXPECT_EQ(tree.find(tree.root(), "a")->text, "1.0");
  EXPECT_EQ(tree.find(tree.root(), "b")->text, "2");
}

TEST(JsonTree, RefusesEverythingThatIsNotJsonToItsLastByte) {
  JsonTree tree(1024, 64);
  for (const char* bad : {"{",
                          "}",
                          "[",
                          "]",
                          "[1,]",
                          "[,1]",
                          "{\"a\":1,}",
                          "{,}",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{a:1}",
                          "{'a':1}",
                          "[1 2]",
                          "{\"a\":1 \"b\":2}",
                          "{\"a\":1]",
                          "[1}",
                          "[[1]",
                          "{\"a\":{\"b\":1}",
                          "[tru]",
                          "[nulll]",
                          "[truefalse]",
                          "[01]",
                          "[1.]",
                          "[.5]",
                          "[+1]",
                          "[1e]",
                          "[0x10]",
                          "[NaN]",
                          "[Infinity]",
                          "[-]",
                          "[1-2]",
                          "[\"a]",
                          "[\"\\q\"]",
                          "[\"\\u12\"]",
                          "[\"a\nb\"]",
                          "[1]x",
                          "[1] [2]",
                          "{} {}",
                          "[1],",
                          "[1]]",
                          "[\"\xff\"]",
                          "[\"\xc3\"]",
                          "\xef\xbb\xbf[1]"}) {
    EXPECT_EQ(parse(tree, bad), DecodeStatus::kMalformed) << bad;
  }
}

TEST(JsonTree, RootIsAnObjectOrAnArray) {
  JsonTree tree(1024, 64);
  for (const char* scalar : {"1", "\"a\"", "true", "null"}) {
    EXPECT_EQ(parse(tree, scalar), DecodeStatus::kWrongShape) << scalar;
  }
  EXPECT_EQ(parse(tree, "[]"), DecodeStatus::kOk);
  EXPECT_TRUE(tree.children(tree.root()).empty());
  EXPECT_EQ(parse(tree, " {} \n"), DecodeStatus::kOk);
}

TEST(JsonTree, NamesEmptyOversizeTooDeepAndTooMany) {
  JsonTree tree(128, 8);
  EXPECT_EQ(parse(tree, ""), DecodeStatus::kEmpty);
  EXPECT_EQ(parse(tree, "  \n"), DecodeStatus::kEmpty);
  EXPECT_EQ(parse(tree, "[\"" + std::string(200, 'x') + "\"]"), DecodeStatus::kOversize);
  EXPECT_EQ(parse(tree, std::string(13, '[') + std::string(13, ']')), DecodeStatus::kTooMany);
  EXPECT_EQ(parse(tree, "[1,2,3,4,5,6,7]"), DecodeStatus::kOk);
  EXPECT_EQ(parse(tree, "[1,2,3,4,5,6,7,8]"), DecodeStatus::kTooMany);
  JsonTree deep(128, 64);
  EXPECT_EQ(parse(deep, std::string(12, '[') + std::string(12, ']')), DecodeStatus::kOk);
  EXPECT_EQ(parse(deep, std::string(13, '[') + std::string(13, ']')), DecodeStatus::kTooDeep);
}

TEST(JsonTree, IsUsableAgainAfterARefusal) {
  JsonTree tree(128, 8);
  EXPECT_EQ(parse(tree, "[1"), DecodeStatus::kMalformed);
  ASSERT_EQ(parse(tree, "[42]"), DecodeStatus::kOk);
  EXPECT_EQ((*tree.children(tree.root()).begin()).text, "42");
}

TEST(JsonTree, ReadsNoFurtherThanThePadding) {
  JsonTree tree(4096, 64);
  for (std::size_t size = 2; size < 200; ++size) {
    const Padded text("[\"" + std::string(size, 'a') + "\"]", "\"\"\"]]]}}}");
    EXPECT_EQ(tree.parse(text.view()), DecodeStatus::kOk) << size;
  }
}

}  // namespace
}  // namespace sluice::venue
