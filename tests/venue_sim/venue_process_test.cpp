// The binary as a supervisor sees it: exit codes, messages, what it leaves behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "common/market/session.hpp"

namespace sluice::sim::test {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

class VenueProcessTest : public ::testing::Test {
 protected:
  VenueProcessTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice_venue_XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
    Session session;
    session.symbols = {{"BTC/USD", Price{kScale / 100}, Qty{10'000}, Qty{100'000}}};
    SessionRecord record{};
    record.send_ns = 1'723'161'254'000'000'000;
    record.exchange_ns = record.send_ns;
    record.kind = SessionKind::kQuote;
    record.flags = kSessionLastOfEvent;
    record.a = 60'000 * kScale;
    record.b = kScale;
    record.c = 60'010 * kScale;
    record.d = kScale;
    record.id = 1;
    session.records = {record};
    save_session(session_path(), session);
  }
  ~VenueProcessTest() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(dir_);
  }

  [[nodiscard]] std::string session_path() const { return dir_ + "/one.session"; }
  [[nodiscard]] std::vector<std::string> arguments() const {
    return {"--session", session_path(), "--state", dir_ + "/state", "--key", "K", "--secret", "S"};
  }
  static std::vector<std::string> plus(std::vector<std::string> a,
                                       const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  void spawn(const std::vector<std::string>& args) {
    const std::string binary = std::string(SLUICE_BIN_DIR) + "/sluice-venue";
    std::vector<char*> argv{const_cast<char*>(binary.c_str())};
    for (const std::string& arg : args) {
      argv.push_back(const_cast<char*>(arg.c_str()));
    }
    argv.push_back(nullptr);
    pid_ = ::fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      const int out = ::open((dir_ + "/out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      const int err = ::open((dir_ + "/err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(out, STDOUT_FILENO);
      ::dup2(err, STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  // Exit code of the spawned process, within 30 s.
  int wait_exit() {
    for (int i = 0; i < 3'000; ++i) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1'000 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return -1;
  }
  int run(const std::vector<std::string>& args) {
    spawn(args);
    return wait_exit();
  }
  // The line on stdout that says it listens.
  Json ports() {
    for (int i = 0; i < 3'000; ++i) {
      const std::string line = slurp(dir_ + "/out");
      if (!line.empty() && line.back() == '\n') {
        return Json::parse(line);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
  }
  [[nodiscard]] std::string err() const { return slurp(dir_ + "/err"); }

  std::string dir_;
  pid_t pid_{0};
};

TEST_F(VenueProcessTest, ListensPrintsItsPortsAndEndsCleanlyOnSigterm) {
  spawn(arguments());
  const Json printed = ports();
  ASSERT_TRUE(printed.contains("port")) << err();
  EXPECT_EQ(Json::parse(slurp(dir_ + "/state/ports.json")), printed);
  EXPECT_EQ(printed["pid"], pid_);
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(wait_exit(), 0) << err();
  const Json ledger = Json::parse(slurp(dir_ + "/state/ledger.json"));
  EXPECT_EQ(ledger["cash"]["USD"], "100000");
}

TEST_F(VenueProcessTest, PortInUseExits73WithThePortInTheMessage) {
  spawn(arguments());
  const std::string port = ports()["port"].dump();
  const pid_t first = std::exchange(pid_, 0);
  std::vector<std::string> second = arguments();
  second[3] = dir_ + "/other";
  EXPECT_EQ(run(plus(second, {"--port", port})), 73);
  EXPECT_THAT(err(), HasSubstr(port));
  pid_ = first;
}

TEST_F(VenueProcessTest, BadCommandLineExits64) {
  EXPECT_EQ(run(plus(arguments(), {"--no-such-flag"})), 64);
  EXPECT_EQ(run({"--session", session_path()}), 64) << "--state is required";
  EXPECT_EQ(run(plus(arguments(), {"--speed", "0"})), 64);
  EXPECT_THAT(err(), HasSubstr("0.001 to 10000"));
  EXPECT_EQ(run(plus(arguments(), {"--fault", "rain"})), 64);
  EXPECT_EQ(run(plus(arguments(), {"--cash", "-1"})), 64);
}

TEST_F(VenueProcessTest, SessionThatIsMissingOrBrokenExitsWithItsName) {
  std::vector<std::string> missing = arguments();
  missing[1] = dir_ + "/nowhere.session";
  EXPECT_EQ(run(missing), 73);
  EXPECT_THAT(err(), HasSubstr("nowhere.session"));
  std::filesystem::resize_file(session_path(), std::filesystem::file_size(session_path()) - 1);
  EXPECT_EQ(run(arguments()), 78);
  EXPECT_THAT(err(), HasSubstr("one.session"));
}

TEST_F(VenueProcessTest, VersionAndHelpExit0) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_THAT(slurp(dir_ + "/out"), HasSubstr("sluice-venue "));
  EXPECT_EQ(run({"--help"}), 0);
}

}  // namespace
}  // namespace sluice::sim::test
