#include "common/market/session.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include "common/base/crc32c.hpp"
#include "common/base/error.hpp"
#include "common/market/session_check.hpp"

namespace sluice {
namespace {

constexpr std::size_t kRecordBytes = sizeof(SessionRecord);
using session_detail::Place;
constexpr std::size_t kAttributionOffset = 3072;
constexpr std::size_t kChunkBytes = 64 * 1024;
// A deflate stream cannot expand further than this (zlib technical details: 1032:1), so a header
// that claims more is lying and is refused before the allocation.
constexpr std::uint64_t kDeflateRatioMax = 1032;

struct SymbolEntry {
  char symbol[kSessionSymbolChars + 1];
  std::int64_t price_increment;
  std::int64_t qty_increment;
  std::int64_t min_order_qty;
  std::int64_t previous_close;
  std::uint8_t asset_class;
  char tape;
  std::uint8_t flags;
  std::uint8_t reserved[5];
};
static_assert(sizeof(SymbolEntry) == kSessionSymbolBytes);

struct FileHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t record_bytes;
  std::uint64_t record_count;
  std::int64_t first_send_ns;
  std::int64_t last_send_ns;
  std::uint32_t body_crc32c;
  std::uint32_t symbol_count;
  std::uint64_t compressed_bytes;
  std::uint32_t header_crc32c;
  std::uint32_t symbols_crc32c;
  char reserved[kAttributionOffset - 64];
  char attribution[kSessionAttributionChars + 1];
};
static_assert(sizeof(FileHeader) == kSessionHeaderBytes);
static_assert(offsetof(FileHeader, body_crc32c) == 40 && offsetof(FileHeader, reserved) == 64 &&
              offsetof(FileHeader, attribution) == kAttributionOffset);

[[noreturn]] void fail_io(const std::string& path, const char* verb, const char* remedy) {
  throw Error(ExitCode::kResource,
              path + ": cannot " + verb + ": " + std::strerror(errno) + "; " + remedy);
}

class File {
 public:
  File(const std::string& path, int flags, const char* verb, const char* remedy)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) {
      fail_io(path, verb, remedy);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool close() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

// Reads until `bytes` arrived or the file ended; returns what arrived.
std::size_t read_up_to(const std::string& path, int fd, void* out, std::size_t bytes) {
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t n = ::read(fd, static_cast<char*>(out) + got, bytes - got);
    if (n == 0) {
      break;
    }
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      fail_io(path, "read", "check the path and the disk");
    }
    got += static_cast<std::size_t>(n);
  }
  return got;
}

bool write_all(int fd, const void* data, std::size_t bytes) noexcept {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::write(fd, static_cast<const char*>(data) + done, bytes - done);
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return false;
    }
    done += static_cast<std::size_t>(n);
  }
  return true;
}

std::uint32_t header_crc(const FileHeader& header) noexcept {
  FileHeader copy = header;
  copy.header_crc32c = 0;
  return crc32c(&copy, sizeof copy);
}

constexpr std::uint64_t body_offset(std::uint64_t symbols) noexcept {
  return kSessionHeaderBytes + symbols * kSessionSymbolBytes;
}

void check_header(const Place& place, const FileHeader& h, std::uint64_t file_bytes) {
  if (std::memcmp(h.magic, kSessionMagic, sizeof h.magic) != 0) {
    throw Error(place.code, place.path +
                                ": offset 0: this is no session file (the magic \"SLUSESS1\" is "
                                "missing); give a file written by sluice-session-convert");
  }
  if (h.version != kSessionVersion) {
    place.at(8, "version " + std::to_string(h.version) + ", this build reads version " +
                    std::to_string(kSessionVersion));
  }
  if (const std::uint32_t crc = header_crc(h); crc != h.header_crc32c) {
    place.at(56, "header CRC32C " + std::to_string(h.header_crc32c) + ", the header's bytes give " +
                     std::to_string(crc) + ": the file is damaged");
  }
  if (h.record_bytes != kRecordBytes) {
    place.at(12, "record size " + std::to_string(h.record_bytes) + ", this build reads " +
                     std::to_string(kRecordBytes));
  }
  if (h.symbol_count == 0 || h.symbol_count > kSessionSymbolsMax) {
    place.at(44, "symbol count " + std::to_string(h.symbol_count) + ", allowed are 1 to " +
                     std::to_string(kSessionSymbolsMax));
  }
  const std::uint64_t before_body = body_offset(h.symbol_count);
  if (file_bytes < before_body || h.compressed_bytes != file_bytes - before_body) {
    place.at(48, "compressed size " + std::to_string(h.compressed_bytes) + ", but the file has " +
                     std::to_string(file_bytes) + " bytes, " + std::to_string(before_body) +
                     " of them before the body: the file is truncated or has extra bytes");
  }
  if (h.record_count == 0 || h.record_count > kSessionRecordsMax ||
      h.record_count * kRecordBytes > h.compressed_bytes * kDeflateRatioMax) {
    place.at(16, "record count " + std::to_string(h.record_count) + ", allowed are 1 to " +
                     std::to_string(kSessionRecordsMax) + " and not more than " +
                     std::to_string(h.compressed_bytes) + " compressed bytes can hold");
  }
  for (std::size_t i = 0; i < sizeof h.reserved; ++i) {
    if (h.reserved[i] != 0) {
      place.at(offsetof(FileHeader, reserved) + i, "a reserved byte is not zero");
    }
  }
}

std::size_t entry_offset(std::size_t i) noexcept {
  return kSessionHeaderBytes + i * kSessionSymbolBytes;
}

SessionSymbol read_symbol(const Place& place, const SymbolEntry& entry, std::size_t offset) {
  if (entry.symbol[kSessionSymbolChars] != 0) {
    place.at(offset, "a symbol's name does not end within " + std::to_string(kSessionSymbolChars) +
                         " characters");
  }
  for (const std::uint8_t byte : entry.reserved) {
    if (byte != 0) {
      place.at(offset, std::string("symbol ") + entry.symbol + " has a reserved byte not zero");
    }
  }
  SessionSymbol symbol{.symbol = entry.symbol,
                       .price_increment = Price{entry.price_increment},
                       .qty_increment = Qty{entry.qty_increment},
                       .min_order_qty = Qty{entry.min_order_qty},
                       .previous_close = Price{entry.previous_close},
                       .asset_class = static_cast<SessionAssetClass>(entry.asset_class),
                       .tape = entry.tape,
                       .flags = entry.flags};
  session_detail::check_symbol(place, symbol, offset);
  return symbol;
}

void read_symbols(const Place& place, int fd, const FileHeader& h, Session& session) {
  std::vector<SymbolEntry> entries(h.symbol_count);
  const std::size_t bytes = entries.size() * sizeof(SymbolEntry);
  if (read_up_to(place.path, fd, entries.data(), bytes) != bytes) {
    place.at(kSessionHeaderBytes, "the file ends within the symbol table");
  }
  if (const std::uint32_t crc = crc32c(entries.data(), bytes); crc != h.symbols_crc32c) {
    place.at(60, "symbols CRC32C " + std::to_string(h.symbols_crc32c) + ", the entries give " +
                     std::to_string(crc) + ": the file is damaged");
  }
  std::unordered_set<std::string> names;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    session.symbols.push_back(read_symbol(place, entries[i], entry_offset(i)));
    if (!names.insert(session.symbols.back().symbol).second) {
      place.at(entry_offset(i),
               "symbol " + session.symbols.back().symbol + " stands twice in the table");
    }
  }
  if (h.attribution[kSessionAttributionChars] != 0) {
    place.at(kAttributionOffset, "the attribution does not end within " +
                                     std::to_string(kSessionAttributionChars) + " characters");
  }
  session.attribution = h.attribution;
}

// Inflates straight into `records`, which already has its final size, in bounded chunks of input.
void inflate_body(const Place& place, int fd, std::size_t offset,
                  std::vector<SessionRecord>& records) {
  struct Inflater {
    z_stream z{};
    Inflater() {
      if (inflateInit(&z) != Z_OK) {
        throw Error(ExitCode::kResource, "zlib: cannot start to inflate; free some memory");
      }
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&z); }
  } inflater;
  z_stream& z = inflater.z;
  std::array<unsigned char, kChunkBytes> in{};
  const std::size_t body_bytes = records.size() * kRecordBytes;
  auto* const out = reinterpret_cast<unsigned char*>(records.data());
  std::size_t consumed = 0;
  std::size_t produced = 0;
  int rc = Z_OK;
  while (rc != Z_STREAM_END) {
    if (z.avail_in == 0) {
      const std::size_t got = read_up_to(place.path, fd, in.data(), in.size());
      z.next_in = in.data();
      z.avail_in = static_cast<uInt>(got);
      consumed += got;
    }
    const uInt room = static_cast<uInt>(std::min<std::size_t>(body_bytes - produced, 1U << 30));
    z.next_out = out + produced;
    z.avail_out = room;
    rc = inflate(&z, Z_NO_FLUSH);
    produced += room - z.avail_out;
    const bool stuck = rc == Z_BUF_ERROR || (rc == Z_OK && z.avail_out == room && z.avail_in == 0);
    if (rc != Z_STREAM_END && (stuck || (rc != Z_OK && rc != Z_BUF_ERROR))) {
      place.at(offset + consumed - z.avail_in,
               std::string("the compressed body is damaged (zlib: ") +
                   (z.msg != nullptr ? z.msg : "it ends too early or holds too much") + ")");
    }
  }
  if (produced != body_bytes || z.avail_in != 0) {
    place.at(offset, "the body inflates to " + std::to_string(produced) +
                         " bytes, the header promises " + std::to_string(body_bytes));
  }
}

// The body of `session`, compressed. Level 9 of one zlib version gives the same bytes each time.
std::vector<unsigned char> deflate_body(const Session& session) {
  const uLong body_bytes = static_cast<uLong>(session.records.size() * kRecordBytes);
  std::vector<unsigned char> out(compressBound(body_bytes));
  uLongf out_bytes = static_cast<uLongf>(out.size());
  const auto* in = reinterpret_cast<const unsigned char*>(session.records.data());
  if (compress2(out.data(), &out_bytes, in, body_bytes, Z_BEST_COMPRESSION) != Z_OK) {
    throw Error(ExitCode::kResource, "zlib: cannot compress the session; free some memory");
  }
  out.resize(out_bytes);
  return out;
}

std::vector<SymbolEntry> make_entries(const Session& session) {
  std::vector<SymbolEntry> entries(session.symbols.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const SessionSymbol& symbol = session.symbols[i];
    SymbolEntry& entry = entries[i];
    std::memcpy(entry.symbol, symbol.symbol.data(), symbol.symbol.size());
    entry.price_increment = symbol.price_increment.raw;
    entry.qty_increment = symbol.qty_increment.raw;
    entry.min_order_qty = symbol.min_order_qty.raw;
    entry.previous_close = symbol.previous_close.raw;
    entry.asset_class = static_cast<std::uint8_t>(symbol.asset_class);
    entry.tape = symbol.tape;
    entry.flags = symbol.flags;
  }
  return entries;
}

FileHeader make_header(const Session& session, const std::vector<SymbolEntry>& entries,
                       std::size_t compressed_bytes) {
  FileHeader h{};
  std::memcpy(h.magic, kSessionMagic, sizeof h.magic);
  h.version = kSessionVersion;
  h.record_bytes = static_cast<std::uint32_t>(kRecordBytes);
  h.record_count = session.records.size();
  h.first_send_ns = session.first_send_ns();
  h.last_send_ns = session.last_send_ns();
  h.body_crc32c = crc32c(session.records.data(), session.records.size() * kRecordBytes);
  h.symbol_count = static_cast<std::uint32_t>(entries.size());
  h.compressed_bytes = compressed_bytes;
  h.symbols_crc32c = crc32c(entries.data(), entries.size() * sizeof(SymbolEntry));
  std::memcpy(h.attribution, session.attribution.data(), session.attribution.size());
  h.header_crc32c = header_crc(h);
  return h;
}

void check_writable(const Place& place, const Session& session) {
  if (session.symbols.empty() || session.symbols.size() > kSessionSymbolsMax) {
    place.at(44, "symbol count " + std::to_string(session.symbols.size()) + ", allowed are 1 to " +
                     std::to_string(kSessionSymbolsMax));
  }
  for (std::size_t i = 0; i < session.symbols.size(); ++i) {
    session_detail::check_symbol(place, session.symbols[i], entry_offset(i));
  }
  if (session.attribution.size() > kSessionAttributionChars ||
      session.attribution.find('\0') != std::string::npos) {
    place.at(kAttributionOffset, "the attribution holds a zero byte or is longer than " +
                                     std::to_string(kSessionAttributionChars) + " bytes");
  }
  if (session.records.empty() || session.records.size() > kSessionRecordsMax) {
    place.at(16, "record count " + std::to_string(session.records.size()) + ", allowed are 1 to " +
                     std::to_string(kSessionRecordsMax));
  }
  session_detail::check_records(place, session);
}

}  // namespace

Session load_session(const std::string& path) {
  File file(path, O_RDONLY, "open the session", "check the path of --session");
  const Place place{path, ExitCode::kConfig};
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) {
    fail_io(path, "stat the session", "check the path of --session");
  }
  if (!S_ISREG(info.st_mode)) {
    throw Error(ExitCode::kConfig, path + ": not a regular file; give a session file");
  }
  FileHeader header{};
  if (read_up_to(path, file.fd(), &header, sizeof header) != sizeof header) {
    place.at(0, "the file has " + std::to_string(info.st_size) + " bytes, less than the header's " +
                    std::to_string(kSessionHeaderBytes));
  }
  check_header(place, header, static_cast<std::uint64_t>(info.st_size));
  Session session;
  read_symbols(place, file.fd(), header, session);
  session.records.resize(header.record_count);
  inflate_body(place, file.fd(), body_offset(header.symbol_count), session.records);
  const std::uint32_t crc = crc32c(session.records.data(), session.records.size() * kRecordBytes);
  if (crc != header.body_crc32c) {
    place.at(40, "body CRC32C " + std::to_string(header.body_crc32c) + ", the records give " +
                     std::to_string(crc) + ": the file is damaged");
  }
  session_detail::check_records(place, session);
  if (header.first_send_ns != session.first_send_ns() ||
      header.last_send_ns != session.last_send_ns()) {
    place.at(24, "first and last send time " + std::to_string(header.first_send_ns) + ", " +
                     std::to_string(header.last_send_ns) + " are not those of the records");
  }
  return session;
}

void save_session(const std::string& path, const Session& session) {
  check_writable(Place{path, ExitCode::kBug}, session);
  const std::vector<unsigned char> body = deflate_body(session);
  const std::vector<SymbolEntry> entries = make_entries(session);
  const FileHeader header = make_header(session, entries, body.size());
  constexpr const char* kRemedy = "check that the folder exists, is writable and has space";
  const std::string temporary = path + ".tmp";
  try {
    File file(temporary, O_WRONLY | O_CREAT | O_TRUNC, "create", kRemedy);
    if (!write_all(file.fd(), &header, sizeof header) ||
        !write_all(file.fd(), entries.data(), entries.size() * sizeof(SymbolEntry)) ||
        !write_all(file.fd(), body.data(), body.size()) || !file.close()) {
      fail_io(temporary, "write", kRemedy);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      fail_io(path, "rename the finished file to this name", kRemedy);
    }
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace sluice
