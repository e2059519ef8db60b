#include "common/runtime/version.hpp"

#include <fmt/format.h>

#include "common/messages/rows.hpp"
#include "common/messages/tap.hpp"

namespace sluice {
namespace {

constexpr const char* kVersion = "0.1.0";

}  // namespace

std::uint64_t build_id() {
  constexpr std::uint64_t kHashes[] = {
      kSchemaHash<MarketEvent>,  kSchemaHash<Intent>,     kSchemaHash<Execution>,
      kSchemaHash<Cancel>,       kSchemaHash<Verdict>,    kSchemaHash<Command>,
      kSchemaHash<Tap>,          kSchemaHash<QuoteRow>,   kSchemaHash<OrderRow>,
      kSchemaHash<PositionRow>,  kSchemaHash<AccountRow>, kSchemaHash<LimitRow>,
      kSchemaHash<InstrumentRow>};
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a over the words
  for (const std::uint64_t h : kHashes)
    hash = (hash ^ h) * 0x100000001b3;
  return hash;
}

std::string version_text() {
  return fmt::format("sluice {} (layout {:016x})", kVersion, build_id());
}

}  // namespace sluice
