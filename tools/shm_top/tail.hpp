// --ring NAME --tail: a ring's records in words, the last few and then as they come.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

namespace sluice::top {

struct TailOptions {
  std::string ring;
  std::uint64_t count{10};  // records to begin with, as far as the ring still has them
  bool follow{true};
  bool json{false};  // one object per line
  bool utf8{true};
};

// Prints until `stop` says so or the output is gone; takes nothing from the ring, whatever its
// consumer does. A reader that the producer laps says how many records it has not seen. Throws
// AttachError; Error{kUsage} naming the rings there are; and, when it follows, Error{kResource}
// once the layout is gone.
int tail(const std::string& dir, const TailOptions& options, std::FILE* out,
         const std::function<bool()>& stop);

}  // namespace sluice::top
