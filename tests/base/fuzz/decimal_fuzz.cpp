// Any bytes as a decimal and as a time: what is accepted must come back from its own canonical
// text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void decimal(std::string_view text) {
  std::int64_t raw = 0;
  if (sluice::parse_decimal(text, raw) != sluice::DecimalStatus::kOk) {
    return;
  }
  const std::string canonical = sluice::decimal_string(raw);
  require(canonical.size() <= sluice::kMaxDecimalChars);
  std::int64_t back = 0;
  require(sluice::parse_decimal(canonical, back) == sluice::DecimalStatus::kOk && back == raw);
}

void time(std::string_view text) {
  sluice::WallNanos ns;
  if (!sluice::parse_rfc3339(text, ns)) {
    return;
  }
  sluice::WallNanos back;
  require(sluice::parse_rfc3339(sluice::to_string(ns), back) && back == ns);
}

void uuid(std::string_view text) {
  sluice::Id128 id;
  if (sluice::parse_uuid(text, id)) {
    sluice::Id128 back;
    require(sluice::parse_uuid(sluice::to_string(id), back) && back == id);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);  // on the heap, so that a read past the end is seen
  decimal(bytes);
  time(bytes);
  uuid(bytes);
  return 0;
}
