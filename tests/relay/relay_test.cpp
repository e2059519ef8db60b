// The relay as a process between two plain sockets of this test: what it forwards, what it
// captures, and how it passes on ends, resets, pressure and failures.
//
// Method: every test starts its own relay (ports chosen by the kernel, printed as JSON), connects
// through it with blocking sockets that have a receive timeout, and afterwards reads the capture
// back.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tools/relay/capture.hpp"

namespace sluice::relay {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kDeadline{30};

class Socket {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { set_timeout(); }
  explicit Socket(int fd) : fd_(fd) { set_timeout(); }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() { close(); }

  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }
  void send(const std::string& bytes) const {
    ASSERT_EQ(static_cast<ssize_t>(bytes.size()),
              ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // Reads until `size` bytes, the end, or an error; errno of the end is 0.
  std::string receive(std::size_t size, int* error = nullptr) const {
    std::string out(size, '\0');
    std::size_t got = 0;
    int last = 0;
    while (got < size) {
      const ssize_t n = ::recv(fd_, out.data() + got, size - got, 0);
      if (n <= 0) {
        last = n == 0 ? 0 : errno;
        break;
      }
      got += static_cast<std::size_t>(n);
    }
    if (error != nullptr) {
      *error = last;
    }
    out.resize(got);
    return out;
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  void set_timeout() const {
    const timeval limit{kDeadline.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  int fd_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Listener {
 public:
  Listener() {
    const sockaddr_in address = loopback(0);
    EXPECT_EQ(0, ::bind(socket_.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
    EXPECT_EQ(0, ::listen(socket_.fd(), 16));
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    ::getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&bound), &size);
    port = ntohs(bound.sin_port);
  }
  [[nodiscard]] Socket accept() const { return Socket(::accept(socket_.fd(), nullptr, nullptr)); }
  std::uint16_t port;

 private:
  Socket socket_;
};

Socket connect_to(std::uint16_t port) {
  Socket s;
  const sockaddr_in address = loopback(port);
  EXPECT_EQ(0, ::connect(s.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address))
      << std::strerror(errno);
  return s;
}

struct Record {
  CaptureHeader header;
  std::string payload;
};

class RelayProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() /
           ("sluice-relay-test-" + std::to_string(::getpid()) + "-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(dir_);
    capture_ = (dir_ / "wire.cap").string();
  }
  void TearDown() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    std::filesystem::remove_all(dir_);
  }

  // Starts the relay; `in_child` runs between fork and exec. Returns the line it printed, "" if it
  // ended.
  std::string start(
      std::vector<std::string> arguments, const std::function<void()>& in_child = [] {}) {
    int out[2];
    EXPECT_EQ(0, ::pipe2(out, O_CLOEXEC));
    const std::string errors = (dir_ / "stderr").string();
    arguments.insert(arguments.begin(), SLUICE_BIN_DIR "/sluice-relay");
    std::vector<char*> argv;
    for (std::string& a : arguments) {
      argv.push_back(a.data());
    }
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
      in_child();
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    char c = 0;
    while (::read(out[0], &c, 1) == 1 && c != '\n') {
      line += c;
    }
    ::close(out[0]);
    return line;
  }

  // One route to `target`; returns the port to connect to.
  std::uint16_t start_route(std::uint16_t target) {
    const std::string line =
        start({"--route", "venue=0:" + std::to_string(target), "--capture", capture_});
    const std::string expected = "{\"ports\":{\"venue\":";
    EXPECT_EQ(0U, line.find(expected)) << line << stderr_text();
    return static_cast<std::uint16_t>(std::stoi(line.substr(expected.size())));
  }

  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int stop() {
    ::kill(pid_, SIGTERM);
    return wait();
  }

  std::string stderr_text() {
    std::ostringstream out;
    out << std::ifstream(dir_ / "stderr").rdbuf();
    return out.str();
  }

  std::vector<Record> records() {
    std::ostringstream all;
    all << std::ifstream(capture_, std::ios::binary).rdbuf();
    const std::string bytes = all.str();
    EXPECT_EQ(0, std::memcmp(bytes.data(), kCaptureMagic, sizeof kCaptureMagic));
    std::vector<Record> out;
    std::size_t at = sizeof(CaptureFileHeader);
    while (at < bytes.size()) {
      Record r{};
      std::memcpy(&r.header, bytes.data() + at, sizeof r.header);
      EXPECT_EQ(kCaptureRecordMagic, r.header.magic);
      r.payload = bytes.substr(at + sizeof r.header, r.header.length);
      at += sizeof r.header + r.header.length;
      out.push_back(std::move(r));
    }
    EXPECT_EQ(at, bytes.size()) << "the last record is whole";
    return out;
  }
  // All bytes of one direction of one connection.
  std::string stream(std::uint32_t connection, int direction) {
    std::string out;
    for (const Record& r : records()) {
      if (r.header.connection == connection && r.header.direction == direction &&
          r.header.event == CaptureEvent::kData) {
        out += r.payload;
      }
    }
    return out;
  }
  // Waits until the capture has such a record.
  bool captured(CaptureEvent event, int direction) {
    const auto until = steady_clock::now() + kDeadline;
    while (steady_clock::now() < until) {
      for (const Record& r : records()) {
        if (r.header.event == event && r.header.direction == direction) {
          return true;
        }
      }
      std::this_thread::yield();
    }
    return false;
  }

  std::filesystem::path dir_;
  std::string capture_;
  pid_t pid_{-1};
};

// Bytes that differ everywhere, zero included.
std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t x = 12'345;
  for (char& c : out) {
    x = x * 1'664'525 + 1'013'904'223;
    c = static_cast<char>(x >> 24);
  }
  return out;
}

TEST_F(RelayProcess, PassesBytesUnchangedBothWaysAndCapturesThem) {
  const Listener venue;
  const Socket client = connect_to(start_route(venue.port));
  const Socket server = venue.accept();
  const std::string request = noise(100'000);
  const std::string answer = noise(70'001).substr(1);
  client.send(request);
  EXPECT_TRUE(request == server.receive(request.size()));
  server.send(answer);
  EXPECT_TRUE(answer == client.receive(answer.size()));
  EXPECT_EQ(0, stop());
  EXPECT_TRUE(request == stream(1, 0));
  EXPECT_TRUE(answer == stream(1, 1));
  const std::vector<Record> all = records();
  EXPECT_EQ(CaptureEvent::kOpen, all[0].header.event);
  EXPECT_EQ("venue", all[0].payload);
  std::int64_t last = 0;
  for (const Record& r : all) {
    EXPECT_GE(r.header.wall_ns, last);
    last = r.header.wall_ns;
  }
}

TEST_F(RelayProcess, ServesSeveralRoutesAndConnectionsAtOnce) {
  const Listener rest;
  const Listener data;
  const std::string line =
      start({"--route", "rest=0:" + std::to_string(rest.port), "--route",
             "data=0:127.0.0.1:" + std::to_string(data.port), "--capture", capture_});
  int rest_port = 0;
  int data_port = 0;
  ASSERT_EQ(
      2, std::sscanf(line.c_str(), R"({"ports":{"rest":%d,"data":%d}})", &rest_port, &data_port));
  const Socket a = connect_to(static_cast<std::uint16_t>(rest_port));
  const Socket a_server = rest.accept();
  const Socket b = connect_to(static_cast<std::uint16_t>(data_port));
  const Socket b_server = data.accept();
  b.send("two");
  EXPECT_EQ("two", b_server.receive(3));
  a.send("one");
  EXPECT_EQ("one", a_server.receive(3));
  EXPECT_EQ(0, stop());
  EXPECT_EQ("one", stream(1, 0));
  EXPECT_EQ("two", stream(2, 0));
  for (const Record& r : records()) {
    EXPECT_EQ(r.header.connection - 1, r.header.route);
  }
}

TEST_F(RelayProcess, HalfCloseIsPassedOnAndTheOtherWayGoesOn) {
  const Listener venue;
  const Socket client = connect_to(start_route(venue.port));
  const Socket server = venue.accept();
  client.send("last words");
  client.finish_sending();
  int error = -1;
  EXPECT_EQ("last words", server.receive(100, &error));
  EXPECT_EQ(0, error);
  server.send("still here");
  EXPECT_EQ("still here", client.receive(10));
  server.finish_sending();
  EXPECT_EQ("", client.receive(1, &error));
  EXPECT_EQ(0, error);
  EXPECT_TRUE(captured(CaptureEvent::kEnd, 1));
  EXPECT_EQ(0, stop());
}

TEST_F(RelayProcess, ResetOfTheClientBecomesAResetAtTheVenue) {
  const Listener venue;
  Socket client = connect_to(start_route(venue.port));
  const Socket server = venue.accept();
  client.send("x");
  EXPECT_EQ("x", server.receive(1));
  client.reset();
  int error = 0;
  EXPECT_EQ("", server.receive(1, &error));
  EXPECT_EQ(ECONNRESET, error);
  EXPECT_TRUE(captured(CaptureEvent::kReset, 0));
  EXPECT_EQ(0, stop());
}

TEST_F(RelayProcess, ResetOfTheVenueBecomesAResetAtTheClient) {
  const Listener venue;
  const Socket client = connect_to(start_route(venue.port));
  Socket server = venue.accept();
  server.reset();
  int error = 0;
  EXPECT_EQ("", client.receive(1, &error));
  EXPECT_EQ(ECONNRESET, error);
  EXPECT_TRUE(captured(CaptureEvent::kReset, 1));
  EXPECT_EQ(0, stop());
}

TEST_F(RelayProcess, UnreachableVenueIsAResetAndTheRelayLivesOn) {
  std::uint16_t dead_port = 0;
  {
    const Listener gone;
    dead_port = gone.port;
  }
  const std::uint16_t port = start_route(dead_port);
  for (int i = 0; i < 3; ++i) {
    const Socket client = connect_to(port);
    int error = 0;
    EXPECT_EQ("", client.receive(1, &error));
    EXPECT_EQ(ECONNRESET, error);
  }
  EXPECT_EQ(0, stop());
  int refused = 0;
  for (const Record& r : records()) {
    refused += r.payload == "Connection refused" ? 1 : 0;
  }
  EXPECT_EQ(3, refused);
}

TEST_F(RelayProcess, SlowReceiverStopsTheSenderAndLosesNothing) {
  const Listener venue;
  const Socket client = connect_to(start_route(venue.port));
  const Socket server = venue.accept();
  const std::string all = noise(32 << 20);
  // Sends without waiting until nothing is taken any more, for a good while: sockets and relay are
  // full.
  std::size_t sent = 0;
  auto last_progress = steady_clock::now();
  while (steady_clock::now() - last_progress < std::chrono::milliseconds(500)) {
    const ssize_t n =
        ::send(client.fd(), all.data() + sent, all.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
      last_progress = steady_clock::now();
    } else {
      std::this_thread::yield();
    }
  }
  ASSERT_LT(sent, all.size()) << "nobody read, so the sender must have been stopped";
  std::thread rest([&] { client.send(all.substr(sent)); });
  const std::string received = server.receive(all.size());
  rest.join();
  EXPECT_TRUE(received == all);
  EXPECT_EQ(0, stop());
  EXPECT_TRUE(stream(1, 0) == all);
}

TEST_F(RelayProcess, KilledRelayHasCapturedWhatItForwarded) {
  const Listener venue;
  const Socket client = connect_to(start_route(venue.port));
  const Socket server = venue.accept();
  client.send("seen");
  EXPECT_EQ("seen", server.receive(4));
  ::kill(pid_, SIGKILL);
  EXPECT_EQ(128 + SIGKILL, wait());
  EXPECT_EQ("seen", stream(1, 0));
}

TEST_F(RelayProcess, FullDiskEndsWith73AndAMessage) {
  const Listener venue;
  EXPECT_EQ("", start({"--route", "v=0:" + std::to_string(venue.port), "--capture", "/dev/full"}));
  EXPECT_EQ(73, wait());
  EXPECT_THAT(stderr_text(), HasSubstr("/dev/full: cannot write the capture: No space left"));
}

TEST_F(RelayProcess, CaptureThatCannotGrowEndsWith73InMidRun) {
  const Listener venue;
  const std::string line =
      start({"--route", "v=0:" + std::to_string(venue.port), "--capture", capture_}, [] {
        const rlimit limit{100'000, 100'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
      });
  const Socket client = connect_to(static_cast<std::uint16_t>(std::stoi(line.substr(14))));
  const Socket server = venue.accept();
  const std::string chunk = noise(200'000);
  (void)::send(client.fd(), chunk.data(), chunk.size(), MSG_NOSIGNAL);
  EXPECT_EQ(73, wait());
  EXPECT_THAT(stderr_text(), HasSubstr("cannot write the capture: File too large"));
}

TEST_F(RelayProcess, TakenPortEndsWith73AndNamesIt) {
  const Listener venue;
  const std::string port = std::to_string(venue.port);
  EXPECT_EQ("", start({"--route", "v=" + port + ":1", "--capture", capture_}));
  EXPECT_EQ(73, wait());
  EXPECT_THAT(stderr_text(), HasSubstr("cannot listen on 127.0.0.1:" + port));
}

TEST_F(RelayProcess, WrongArgumentsEndWith64) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"--capture", capture_},
      {"--route", "v=0:1"},
      {"--route", "v=0:0", "--capture", capture_},
      {"--route", "v=65536:1", "--capture", capture_},
      {"--route", "=0:1", "--capture", capture_},
      {"--route", "v\"=0:1", "--capture", capture_},
      {"--route", "v=0:nowhere:1", "--capture", capture_},
      {"--route", "v=0:1", "--route", "v=0:2", "--capture", capture_},
      {"--route", "v=0:1", "--capture"},
      {"--verbose"}};
  for (const std::vector<std::string>& arguments : wrong) {
    EXPECT_EQ("", start(arguments));
    EXPECT_EQ(64, wait()) << ::testing::PrintToString(arguments);
    EXPECT_THAT(stderr_text(), HasSubstr("sluice-relay: "));
  }
}

}  // namespace
}  // namespace sluice::relay
