#include "common/base/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <memory>
#include <string>

namespace sluice {
namespace {

constexpr spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// %* in the pattern: the level in five columns, so that messages of all levels align.
class LevelColumn final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    std::string_view text = "ERROR";
    switch (message.level) {
      case spdlog::level::debug:
        text = "DEBUG";
        break;
      case spdlog::level::info:
        text = "INFO ";
        break;
      case spdlog::level::warn:
        text = "WARN ";
        break;
      default:
        break;
    }
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<LevelColumn>();
  }
};

std::shared_ptr<spdlog::logger> make_logger(const std::string& process, LogLevel level) {
  auto logger =
      std::make_shared<spdlog::logger>(process, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<LevelColumn>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %*  %n  %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::debug);  // a line must be out before the process can die
  return logger;
}

// Replaced only by log_init, which runs before a process starts its threads.
std::shared_ptr<spdlog::logger>& the_logger() {
  static std::shared_ptr<spdlog::logger> logger = make_logger("-", LogLevel::kInfo);
  return logger;
}

// Text of peers and venues must not forge a line of its own. UTF-8 passes.
void escape_control_characters(std::string& text) {
  constexpr auto kIsControl = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  };
  std::size_t first = 0;
  while (first < text.size() && !kIsControl(text[first])) {
    ++first;
  }
  if (first == text.size()) {
    return;
  }
  std::string escaped = text.substr(0, first);
  for (const char c : std::string_view{text}.substr(first)) {
    if (kIsControl(c)) {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  text = std::move(escaped);
}

}  // namespace

bool parse_log_level(std::string_view text, LogLevel& out) noexcept {
  if (text == "debug") {
    out = LogLevel::kDebug;
  } else if (text == "info") {
    out = LogLevel::kInfo;
  } else if (text == "warn") {
    out = LogLevel::kWarn;
  } else if (text == "error") {
    out = LogLevel::kError;
  } else {
    return false;
  }
  return true;
}

void log_init(std::string_view process, LogLevel level) {
  the_logger() = make_logger(std::string(process), level);
}

bool log_enabled(LogLevel level) noexcept {
  return the_logger()->should_log(to_spdlog(level));
}

void log_line(LogLevel level, fmt::string_view format, fmt::format_args arguments) {
  if (!log_enabled(level)) {
    return;
  }
  const int saved_errno = errno;  // callers log first and look at errno afterwards
  std::string text = fmt::vformat(format, arguments);
  escape_control_characters(text);
  the_logger()->log(to_spdlog(level), text);
  errno = saved_errno;
}

}  // namespace sluice
