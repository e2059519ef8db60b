// msgpack.hpp — the streams' second encoding: the same messages, as msgpack.
//
// Pure. A message is encoded once, as JSON; who asked for msgpack gets that text transcoded. So
// both encodings carry the same keys in the same order ("T" first), whatever is added to a message
// later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace sluice::sim {

// What the venue calls the encoding, in the Content-Type of the upgrade request.
[[nodiscard]] bool asks_for_msgpack(std::string_view content_type) noexcept;

// Which strings are moments: the market stream's "t" is a msgpack timestamp (extension -1), the
// order stream's times stay text, like all its values.
enum class MsgpackTimes : std::uint8_t { kMarketData, kText };

// Appends `json` as msgpack. It must be what this program's encoders wrote: well-formed, without
// blanks; anything else is a bug here and ends the process. Prices become doubles, as they are for
// every reader of the JSON numbers; other whole numbers integers.
void append_msgpack(std::string& out, std::string_view json, MsgpackTimes times);

// The head of an array of `count` elements, always three bytes: may be written before the count is
// known.
inline constexpr std::size_t kMsgpackArrayHeadBytes = 3;
void write_msgpack_array_head(char* out, std::size_t count) noexcept;

// What a client sent, in either encoding; discarded when it is not exactly one value or is nested
// deeper than any request, so that hostile bytes cost neither stack nor an exception.
[[nodiscard]] nlohmann::json parse_client_message(std::string_view payload, bool msgpack);

}  // namespace sluice::sim
