// shm-top: the screen of the shared memory. Reads only; the instance may run, be dead or half dead.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/instance_folder.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/version.hpp"
#include "shm/layout.hpp"
#include "tools/shm_top/collector.hpp"
#include "tools/shm_top/frame.hpp"
#include "tools/shm_top/json.hpp"
#include "tools/shm_top/screen.hpp"
#include "tools/shm_top/tail.hpp"

namespace {

using namespace sluice;

struct CommandLine {
  InstanceChoice choice;
  bool check_config{false};
  LogLevel log_level{LogLevel::kInfo};
  std::int64_t interval_ms{1000};
  std::size_t width{0};
  bool once{false};
  bool json{false};
  bool no_color{false};
  bool ascii{false};
  std::string ring;
  std::int64_t tail_count{10};  // signed: a minus must not wrap around
  bool tail{false};
};

std::string footer() {
  std::string text = "Keys:\n";
  for (const auto& [keys, what] : top::kKeyHelp)
    text += fmt::format("  {:<44}{}\n", keys, what);
  text +=
      "\nExamples:\n"
      "  shm-top                                        the only instance below /dev/shm/sluice\n"
      "  shm-top --config run/demo/runs/NEWEST/instance.toml\n"
      "  shm-top --json --dir /dev/shm/sluice/demo      two samples, one document\n"
      "  shm-top --ring md.crypto.momentum --tail 20    records in words, then as they come\n"
      "  shm-top --ring order --tail 5 --once --json    the last five, one object a line\n\n"
      "Everything is mapped read-only, no role is taken, and no process needs to run: what a "
      "crash\n"
      "left can be looked at. NO_COLOR, TERM=dumb and locales without UTF-8 are honoured.\n"
      "Columns and what alarms: docs/shm-top.md.\n"
      "Exit codes: 0 done, 64 command line, 73 shared memory, 78 configuration.";
  return text;
}

// False when help or version was asked for and answered.
bool parse(CommandLine& line, int argc, char** argv) {
  CLI::App app(
      "Shows an instance's shared memory: stages, rings, latency per hop, kill words, limits used "
      "and errors.",
      "shm-top");
  app.set_version_flag("--version", version_text());
  app.footer(footer());
  app.add_option("--dir", line.choice.dir, "the folder of the instance's segments")
      ->type_name("DIR");
  CLI::Option* config =
      app.add_option("--config", line.choice.config, "the instance's TOML file")->type_name("FILE");
  app.add_flag("--check-config", line.check_config, "read and check the configuration, then exit")
      ->needs(config);
  std::string level = "info";
  app.add_option("--log-level", level, "debug, info, warn or error")->type_name("LEVEL");
  app.add_option("--interval", line.interval_ms, "milliseconds between two samples (1000)")
      ->check(CLI::Range(50, 60'000));
  CLI::Option* once = app.add_flag("--once", line.once, "print one frame as plain text and end");
  app.add_option("--width", line.width, "of that frame (the terminal's, $COLUMNS, 120)")
      ->check(CLI::Range(20, 1000))
      ->needs(once);
  app.add_flag("--json", line.json, "print one JSON document on stdout and end");
  CLI::Option* ring =
      app.add_option("--ring", line.ring, "a ring by its name; with --tail")->type_name("NAME");
  CLI::Option* tail =
      app.add_option("--tail", line.tail_count,
                     "print the ring's last N records (10) in words, then each as it comes; "
                     "with --once only the last")
          ->type_name("[N]")
          ->expected(0, 1)
          ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()))
          ->needs(ring);
  ring->needs(tail);
  app.add_flag("--no-color,--no-colour", line.no_color, "no colours; what alarms stands reversed");
  app.add_flag("--ascii", line.ascii, "no characters beyond ASCII, whatever the locale says");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return false;
  } catch (const CLI::CallForVersion&) {
    std::printf("%s\n", version_text().c_str());
    return false;
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::kUsage, std::string(error.what()) + "; see shm-top --help");
  }
  if (!parse_log_level(level, line.log_level)) {
    throw Error(ExitCode::kUsage, "--log-level '" + level + "': use debug, info, warn or error");
  }
  line.tail = tail->count() != 0;
  return true;
}

// What was printed must have arrived: a full disk is no success.
void finish_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw Error(ExitCode::kResource,
                fmt::format("cannot write to stdout: {}", std::strerror(errno)));
  }
}

// Two samples an interval apart, so that rates and last-second spreads exist.
top::Snapshot sample_twice(top::Collector& collector, std::int64_t interval_ms) {
  static_cast<void>(collector.collect());
  std::this_thread::sleep_for(std::chrono::milliseconds(interval_ms));
  top::Snapshot snapshot = collector.collect();
  if (!snapshot.problem.empty())
    throw Error(ExitCode::kResource, snapshot.problem);
  return snapshot;
}

int print_once(top::Collector& collector, const CommandLine& line, bool utf8) {
  top::View view;
  view.width = line.width != 0 ? line.width : top::output_width();
  view.height = 0;
  view.utf8 = utf8;
  for (const top::Line& text : top::draw(sample_twice(collector, line.interval_ms), view))
    std::printf("%s\n", top::text_without_trailing_blanks(text).c_str());
  finish_output();
  return 0;
}

int body(int argc, char** argv) {
  CommandLine line;
  if (!parse(line, argc, argv))
    return 0;
  log_init("shm-top", line.log_level);
  const std::string dir = instance_folder(line.choice);
  if (line.check_config) {
    std::printf("%s: ok\n", line.choice.config.c_str());
    finish_output();
    return 0;
  }
  const bool utf8 = top::locale_is_utf8() && !line.ascii;
  if (line.tail) {
    install_stop_signals();
    return top::tail(dir,
                     {.ring = line.ring,
                      .count = static_cast<std::uint64_t>(line.tail_count),
                      .follow = !line.once,
                      .json = line.json,
                      .utf8 = utf8},
                     stdout, stop_requested);
  }
  // A layout that is not there yet may still come; another build's never becomes readable.
  if (shm::inspect_layout(dir).kind == shm::LayoutState::Kind::kForeign || line.once || line.json)
    static_cast<void>(shm::Instance::attach(dir, std::chrono::milliseconds(0)));
  top::Collector collector(dir);
  if (line.json) {
    std::printf("%s\n", top::to_json(sample_twice(collector, line.interval_ms)).c_str());
    finish_output();
    return 0;
  }
  if (line.once)
    return print_once(collector, line, utf8);
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    throw Error(ExitCode::kUsage,
                "stdin or stdout is no terminal; use --once, --json, or --ring NAME --tail");
  }
  const char* const no_color = std::getenv("NO_COLOR");
  const bool colour = !line.no_color && (no_color == nullptr || *no_color == '\0');
  return top::run_screen(collector,
                         {.interval_ms = line.interval_ms, .utf8 = utf8, .colour = colour});
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("shm-top", body, argc, argv);
}
