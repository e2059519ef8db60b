#include "tools/session_convert/zip_text.hpp"

#include <zip.h>

#include <memory>

#include "common/base/error.hpp"

namespace sluice::convert {
namespace {

struct Discard {
  void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kConfig, path + ": " + what +
                                     "; compare it with its SHA-256 in the data manifest and copy "
                                     "it again");
}

std::unique_ptr<zip_t, Discard> open_archive(const std::string& path) {
  int code = 0;
  std::unique_ptr<zip_t, Discard> archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive) {
    return archive;
  }
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (code == ZIP_ER_OPEN || code == ZIP_ER_NOENT || code == ZIP_ER_READ) {
    throw Error(ExitCode::kResource,
                path + ": cannot open (" + text + "); check --data, --date and --symbols");
  }
  damaged(path, "is no zip archive (" + text + ")");
}

}  // namespace

std::string read_zip_text(const std::string& path) {
  const auto archive = open_archive(path);
  if (const zip_int64_t files = zip_get_num_entries(archive.get(), 0); files != 1) {
    damaged(path, "holds " + std::to_string(files) + " files, expected is one");
  }
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat_index(archive.get(), 0, 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0) {
    damaged(path, "does not tell the size of its file");
  }
  if (stat.size > kZipTextMax) {
    damaged(path, "claims " + std::to_string(stat.size) + " bytes, allowed are " +
                      std::to_string(kZipTextMax));
  }
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive.get(), 0, 0));
  std::string text(stat.size, '\0');
  // One byte more than promised would be a lie too: the checksum is checked at the end of the file.
  char beyond = 0;
  if (!file ||
      zip_fread(file.get(), text.data(), text.size()) != static_cast<zip_int64_t>(text.size()) ||
      zip_fread(file.get(), &beyond, 1) != 0) {
    damaged(path, "its file cannot be inflated");
  }
  return text;
}

}  // namespace sluice::convert
