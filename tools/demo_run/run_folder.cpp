#include "tools/demo_run/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "tools/demo_run/input.hpp"

namespace sluice::demo {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kKeptRuns = 3;

// "2026-11-20T12:00:00.123456789Z" as a folder name: sorts by time, no colons.
std::string stamp() {
  char text[32];
  std::string out(text, format_rfc3339(wall_now(), text));
  std::erase_if(out, [](char c) { return c == ':' || c == '-'; });
  return out;
}

void remove_old_runs(const fs::path& runs) {
  std::vector<fs::path> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs)) {
    if (entry.is_directory())
      folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  while (folders.size() > kKeptRuns) {
    fs::remove_all(folders.front());
    folders.erase(folders.begin());
  }
}

// Replaces the value of every line that begins with `key`; what stands behind a comment sign goes.
void set_key(std::string& text, const std::string& template_path, const std::string& key,
             const std::string& value) {
  std::istringstream in(text);
  std::string out;
  std::string line;
  bool found = false;
  while (std::getline(in, line)) {
    const std::size_t at = line.find_first_not_of(" \t");
    const bool names = at != std::string::npos && line.compare(at, key.size(), key) == 0;
    const std::size_t next =
        names ? line.find_first_not_of(" \t", at + key.size()) : std::string::npos;
    if (next != std::string::npos && line[next] == '=') {
      line = key + " = " + value;
      found = true;
    }
    out += line + "\n";
  }
  if (!found) {
    throw Error(ExitCode::kConfig, template_path + ": the demo sets the key '" + key +
                                       "', which is missing; start from config/demo.toml");
  }
  text = std::move(out);
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

// Every `"from"` becomes `"to"`; a template without it has symbols of its own.
void rename(std::string& text, const std::string& from, const std::string& to) {
  const std::string old = quoted(from);
  const std::string now = quoted(to);
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += now.size())
    text.replace(at, old.size(), now);
}

}  // namespace

RunFolder make_run_folder(const std::string& root) {
  const fs::path runs = fs::absolute(root) / "runs";
  RunFolder run;
  run.path = (runs / stamp()).string();
  run.config = run.path + "/instance.toml";
  run.capture = run.path + "/wire.capture";
  run.venue_state = run.path + "/venue";
  run.logs = run.path + "/logs";
  std::error_code error;
  for (const std::string& folder : {run.path, run.venue_state, run.logs}) {
    fs::create_directories(folder, error);
    if (error)
      throw Error(ExitCode::kResource, folder + ": " + error.message());
  }
  remove_old_runs(runs);
  return run;
}

void write_instance_config(const RunFolder& run, const Input& input, const std::string& state_dir,
                           const Ports& ports) {
  const std::string& template_path = input.config;
  std::ifstream in(template_path);
  if (!in)
    throw Error(ExitCode::kConfig, template_path + " cannot be read");
  std::stringstream buffer;
  buffer << in.rdbuf();
  std::string text = buffer.str();
  const auto set = [&](const std::string& key, const std::string& value) {
    set_key(text, template_path, key, value);
  };
  for (const auto& [from, to] : input.symbols)
    rename(text, from, to);
  set("rest_port", std::to_string(ports.trading));
  set("stream_port", std::to_string(ports.trading));
  set("port", std::to_string(ports.market_data));
  set("state_dir", quoted(fs::absolute(state_dir).string()));
  set("run_dir", quoted(run.path));
  set("credentials_file", quoted(run.path + "/credentials"));
  std::ofstream out(run.config, std::ios::trunc);
  out << "# Written for this run from " << fs::path(template_path).filename().string() << ".\n"
      << text;
  if (!out.flush())
    throw Error(ExitCode::kResource, run.config + " cannot be written");
}

void write_credentials(const RunFolder& run, const std::string& key, const std::string& secret) {
  const std::string path = run.path + "/credentials";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string text = "key = " + key + "\nsecret = " + secret + "\n";
  const bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (fd >= 0)
    ::close(fd);
  if (!written)
    throw Error(ExitCode::kResource, path + ": " + std::strerror(error));
}

}  // namespace sluice::demo
