// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as in iSCSI, ext4 and the journal's
// records.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

// The checksum of `size` bytes. Passing the result of one call as the seed of the next continues
// it: crc32c(ab) == crc32c(b, crc32c(a)). Uses the SSE4.2 and PCLMUL instructions where the
// processor has them. Never allocates.
[[nodiscard]] std::uint32_t crc32c(const void* data, std::size_t size,
                                   std::uint32_t seed = 0) noexcept;

// The table-driven form, on any processor; tests compare the two.
[[nodiscard]] std::uint32_t crc32c_portable(const void* data, std::size_t size,
                                            std::uint32_t seed = 0) noexcept;

}  // namespace sluice
