// The real shm-top on a pseudo-terminal and on pipes: it shows, resizes, takes keys, maps
// read-only, and works on what the dead left.

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/runtime/process.hpp"
#include "tests/shm_top/terminal.hpp"
#include "tests/shm_top/world.hpp"

namespace sluice::top::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kBinary = SLUICE_BIN_DIR "/shm-top";

struct Output {
  int code{0};
  std::string out;
  std::string err;
};

Output run(const std::vector<std::string>& arguments) {
  std::string command = "LC_ALL=C.UTF-8 COLUMNS=120 " + std::string(kBinary);
  for (const std::string& argument : arguments)
    command += " '" + argument + "'";
  const std::string errors = std::filesystem::temp_directory_path().string() + "/shm-top-test-" +
                             std::to_string(getpid()) + ".err";
  command += " 2>" + errors + " </dev/null";
  Output output;
  std::FILE* pipe = popen(command.c_str(), "r");
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
    output.out.push_back(static_cast<char>(c));
  const int status = pclose(pipe);
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  std::ostringstream text;
  text << std::ifstream(errors).rdbuf();
  output.err = text.str();
  std::filesystem::remove(errors);
  return output;
}

class ShmTop : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    // A feed that published and was killed; a stage that lives.
    auto feed = stage("feed.x", kFeedMetrics, [](const shm::Instance& instance, shm::StagePage&) {
      shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
      for (int i = 0; i < 5; ++i)
        static_cast<void>(ring.try_push(quote_event(instance.now())));
    });
    feed->kill_and_reap();
    risk_ = stage("risk", kRiskMetrics, [](const shm::Instance&, shm::StagePage&) {});
  }
  [[nodiscard]] std::vector<std::string> command() const {
    return {kBinary, "--dir", dir(), "--interval", "100"};
  }
  static void expect_shown(Terminal& terminal, const std::string& text) {
    EXPECT_TRUE(eventually([&] {
      terminal.look();
      return terminal.shows(text);
    })) << text
        << " is not on the screen:\n"
        << terminal.screen();
  }

  std::unique_ptr<Child> risk_;
};

TEST_F(ShmTop, ShowsResizesTakesKeysAndQuits) {
  Terminal terminal(120, 50);
  terminal.start(command(), {{"TERM", "xterm-256color"}, {"LANG", "C.UTF-8"}});
  expect_shown(terminal, "world in " + dir());
  expect_shown(terminal, "dead: feed.x");
  expect_shown(terminal, "MAY USE");
  expect_shown(terminal, "? help");
  EXPECT_THAT(terminal.raw(), HasSubstr("\x1b[31m")) << "what alarms is red";

  terminal.resize(80, 24);
  EXPECT_TRUE(eventually([&] {
    terminal.look();
    return terminal.shows("? help") && !terminal.shows("MAY USE");
  })) << terminal.screen();

  terminal.type("2\r");
  expect_shown(terminal, "cmd.risk");
  terminal.type("/cancel\r");
  expect_shown(terminal, "rings 1, filtered from 9");
  terminal.type("\x1b");
  expect_shown(terminal, "rings 1-");
  terminal.type("?");
  expect_shown(terminal, "quit");
  terminal.type("xp");
  expect_shown(terminal, "PAUSED");
  terminal.type("pr");
  expect_shown(terminal, "maxima reset");
  terminal.type("q");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_EQ(terminal.not_understood(), 0);
}

TEST_F(ShmTop, FollowsALayoutThatIsCreatedAnewWhileItRuns) {
  Terminal terminal(100, 30);
  terminal.start(command(), {{"TERM", "xterm-256color"}, {"LANG", "C.UTF-8"}});
  expect_shown(terminal, "dead: feed.x");
  risk_->kill_and_reap();
  expect_shown(terminal, "dead: feed.x, risk");
  shm::destroy_layout(dir(), true);
  expect_shown(terminal, "layout removed");
  expect_shown(terminal, "not yet: no layout; run");
  EXPECT_TRUE(terminal.shows("dead: feed.x, risk")) << "the last picture stays";
  create();
  EXPECT_TRUE(eventually([&] {
    terminal.look();
    return terminal.shows("not started") && !terminal.shows("layout removed") &&
           !terminal.shows("dead");
  })) << terminal.screen();
  ::kill(terminal.pid(), SIGTERM);
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(ShmTop, WaitsForALayoutThatIsNotThereYet) {
  risk_->kill_and_reap();
  shm::destroy_layout(dir(), true);
  Terminal terminal(100, 30);
  terminal.start(command(), {{"TERM", "xterm-256color"}, {"LANG", "C.UTF-8"}});
  expect_shown(terminal, "not yet: no layout; run");
  EXPECT_FALSE(terminal.shows("layout removed"));
  create();
  expect_shown(terminal, "not started");
  terminal.type("q");
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(ShmTop, ResetLeavesAPictureAloneThatStandsStill) {
  Terminal terminal(120, 50);
  terminal.start(command(), {{"TERM", "xterm-256color"}, {"LANG", "C.UTF-8"}});
  expect_shown(terminal, "dead: feed.x");
  terminal.type("p");
  expect_shown(terminal, "PAUSED");
  terminal.type("r?");  // once the help is there, the reset was taken
  expect_shown(terminal, "this page");
  terminal.type("x");
  expect_shown(terminal, "PAUSED");
  EXPECT_FALSE(terminal.shows("maxima reset"));
  terminal.type("p");
  expect_shown(terminal, "maxima reset");
  terminal.type("q");
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(ShmTop, WithoutColourSendsNone) {
  for (const bool by_option : {true, false}) {
    Terminal terminal(100, 40);
    std::vector<std::string> words = command();
    if (by_option)
      words.emplace_back("--no-color");
    terminal.start(
        words,
        {{"TERM", "xterm-256color"}, {"LANG", "C.UTF-8"}, {"NO_COLOR", by_option ? "" : "1"}});
    expect_shown(terminal, "dead: feed.x");
    terminal.type("q");
    EXPECT_EQ(terminal.wait(), 0);
    for (const char* colour : {"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[38;5;"})
      EXPECT_THAT(terminal.raw(), Not(HasSubstr(colour)));
  }
}

TEST_F(ShmTop, WithoutUtf8ThereAreOnlyAsciiCharacters) {
  Terminal terminal(120, 40);
  terminal.start(command(), {{"TERM", "xterm-256color"}, {"LANG", "C"}});
  expect_shown(terminal, "dead: feed.x");
  terminal.type("q");
  EXPECT_EQ(terminal.wait(), 0);
  for (const char c : terminal.raw())
    ASSERT_GE(c, 0);
}

TEST_F(ShmTop, OnADumbTerminalPrintsFramesWithoutControls) {
  Terminal terminal(120, 80);
  terminal.start(command(), {{"TERM", "dumb"}, {"LANG", "C.UTF-8"}});
  EXPECT_TRUE(eventually([&] {
    terminal.look();
    const std::string& raw = terminal.raw();
    const std::size_t first = raw.find("shm-top   world");
    return first != raw.npos && raw.find("shm-top   world", first + 1) != raw.npos;
  })) << "a second frame below the first";
  terminal.type("q\n");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_THAT(terminal.raw(), Not(HasSubstr("\x1b")));
}

TEST_F(ShmTop, OnADumbTerminalAFilterEndsWithItsLineAndIsVisible) {
  Terminal terminal(120, 80);
  terminal.start(command(), {{"TERM", "dumb"}, {"LANG", "C.UTF-8"}});
  const auto expect_said = [&](const std::string& text) {
    const std::size_t from = terminal.raw().size();
    EXPECT_TRUE(eventually([&] {
      terminal.look();
      return terminal.raw().find(text, from) != std::string::npos;
    })) << text;
  };
  expect_said("cmd.risk");
  terminal.type("/cancel\n");
  expect_said("rows with 'cancel'");
  expect_said("rings 1, filtered from 9");
  terminal.type("2\n");
  expect_said("errors 0");  // a line's end that only sends a key does nothing else
  terminal.type("\n");
  // Alone it is Enter: the chosen panel stands under the head.
  EXPECT_TRUE(eventually([&] {
    terminal.look();
    const std::string& raw = terminal.raw();
    const std::size_t frame = raw.rfind("shm-top   world");
    return raw.find("rings 1, filtered", frame) != raw.npos &&
           raw.find("rows with 'cancel'", frame) != raw.npos &&
           raw.find("errors", frame) == raw.npos;
  }));
  ::kill(terminal.pid(), SIGTERM);  // a filter that did not end would take a q
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(ShmTop, EndsWhenItsTerminalIsGone) {
  Terminal terminal(100, 30);
  // A shell would send SIGHUP as well; whoever ignores that must still not poll a dead terminal.
  terminal.start(command(), {{"TERM", "xterm-256color"}, {"LANG", "C.UTF-8"}}, SIGHUP);
  expect_shown(terminal, "dead: feed.x");
  terminal.hang_up();
  EXPECT_TRUE(eventually([&] { return terminal.ended(); }));
  EXPECT_EQ(terminal.wait(), 0);
}

// Everything of the layout is mapped, nothing of it writable, and no role taken.
TEST_F(ShmTop, MapsEverythingReadOnlyAndTakesNoRole) {
  Terminal terminal(120, 40);
  terminal.start(command(), {{"TERM", "xterm-256color"}, {"LANG", "C.UTF-8"}});
  expect_shown(terminal, "dead: feed.x");
  std::ifstream maps("/proc/" + std::to_string(terminal.pid()) + "/maps");
  int mapped = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(dir()) == line.npos)
      continue;
    ++mapped;
    EXPECT_THAT(line, HasSubstr(" r--s ")) << line;
  }
  EXPECT_EQ(mapped, 9 * 2 + 6 + 4 + 2) << "rings, boards, pages, control and trip words";
  for (const char* name : {"feed.x", "strategy.s", "gateway", "persistence", "operator"})
    EXPECT_FALSE(shm::RoleLock::holder(dir(), name).has_value()) << name;
  terminal.type("q");
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(ShmTop, OnceJsonAndTailWorkOnWhatTheDeadLeft) {
  risk_->kill_and_reap();
  const Output once = run({"--dir", dir(), "--once", "--interval", "50"});
  EXPECT_EQ(once.code, 0) << once.err;
  EXPECT_THAT(once.out, HasSubstr("dead: feed.x, risk"));
  EXPECT_THAT(once.out, HasSubstr("md.x.s"));

  const Output json = run({"--dir", dir(), "--json", "--interval", "50"});
  EXPECT_EQ(json.code, 0) << json.err;
  const auto document = nlohmann::json::parse(json.out);
  EXPECT_EQ(document["instance"], "world");
  EXPECT_EQ(document["rings"].size(), 9u);
  for (const auto& ring : document["rings"]) {
    EXPECT_EQ(ring["depth"], ring["ring"] == "md.x.s" ? 5 : 0);
    EXPECT_FALSE(ring["messages_per_second"].is_null()) << "two samples";
  }

  const Output last = run({"--dir", dir(), "--ring", "md.x.s", "--tail", "2", "--once"});
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_THAT(last.out, HasSubstr("4 kind=quote feed=0 instrument=0 symbol=BTC/USD"));
  EXPECT_EQ(std::count(last.out.begin(), last.out.end(), '\n'), 2);
}

TEST_F(ShmTop, OnceAndJsonNeverCallKillWordsOffThatCannotBeRead) {
  std::filesystem::resize_file(path(shm::operator_trip_file()), 0);
  const Output once = run({"--dir", dir(), "--once", "--interval", "50"});
  EXPECT_EQ(once.code, 0) << once.err;
  EXPECT_THAT(once.out, HasSubstr("KILL WORDS UNREADABLE: operator"));
  const Output json = run({"--dir", dir(), "--json", "--interval", "50"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["trading"]["kill_switch"], "unknown");
}

TEST_F(ShmTop, OutputThatCannotBeWrittenIsAFailure) {
  for (const std::string option : {"--once", "--json"}) {
    const std::string command = std::string(kBinary) + " --dir " + dir() + " --interval 50 " +
                                option + " 2>&1 >/dev/full </dev/null";
    std::FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string error;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
      error.push_back(static_cast<char>(c));
    const int status = pclose(pipe);
    EXPECT_EQ(WEXITSTATUS(status), 73) << option;
    EXPECT_THAT(error, HasSubstr("cannot write to stdout")) << option;
  }
}

TEST_F(ShmTop, MistakesAreOneLineAndTheDocumentedExitCode) {
  struct Case {
    std::vector<std::string> arguments;
    int code;
    const char* says;
  };
  const std::vector<Case> cases{
      {{"--bogus"}, 64, "--bogus"},
      {{"--dir", dir(), "--config", "x.toml"}, 64, "--dir and --config"},
      {{"--dir", dir(), "--ring", "md.x.s"}, 64, "--tail"},
      {{"--dir", dir(), "--ring", "nope", "--tail"}, 64, "there are cancel.s"},
      {{"--dir", dir(), "--ring", "md.x.s", "--tail", "0", "--once"}, 64, "--tail"},
      {{"--dir", dir(), "--ring", "md.x.s", "--tail=-3", "--once"}, 64, "--tail"},
      {{"--dir", dir(), "--interval", "0", "--json"}, 64, "--interval"},
      {{"--dir", dir()}, 64, "no terminal"},
      {{"--dir", dir() + "/nope", "--json"}, 73, "no such folder"},
      {{"--dir", "/proc", "--json"}, 73, "not yet"},
      {{"--config", "/nope.toml", "--json"}, 78, "/nope.toml"},
      {{"--config", "/nope.toml", "--check-config"}, 78, "/nope.toml"},
      {{"--dir", dir(), "--check-config"}, 64, "--config"},
      {{"--dir", dir(), "--json", "--log-level", "loud"}, 64, "debug, info, warn or error"}};
  for (const Case& c : cases) {
    const Output output = run(c.arguments);
    EXPECT_EQ(output.code, c.code) << output.err;
    EXPECT_EQ(output.out, "") << "stdout is for the document alone";
    EXPECT_THAT(output.err, HasSubstr(c.says));
    EXPECT_EQ(std::count(output.err.begin(), output.err.end(), '\n'), 1) << output.err;
  }
  EXPECT_THAT(run({"--help"}).out, HasSubstr("Keys:"));
}

TEST_F(ShmTop, TakesTheArgumentsThatEveryBinaryTakes) {
  const std::string config = SLUICE_SOURCE_DIR "/config/demo.toml";
  const Output checked = run({"--config", config, "--check-config", "--log-level", "error"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(checked.out, config + ": ok\n");
  EXPECT_EQ(run({"--version"}).code, 0);
}

}  // namespace
}  // namespace sluice::top::test
