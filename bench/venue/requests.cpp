// bench_venue_requests PORT CONNECTIONS SECONDS orders|clock — asks REST requests over keep-alive
// connections, one in flight on each, and prints how many were answered as one line of JSON.
//
// `orders` posts a limit order far from the market and deletes it, again and again; `clock` asks
// for the cheapest answer there is, which is the baseline. Shares nothing with the simulator or the
// trading side: plain sockets, and an answer is as long as its Content-Length says.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "bench_venue_requests: %s\n", what.c_str());
  std::exit(1);
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    die("cannot connect to port " + std::to_string(port));
  }
  return fd;
}

struct Connection {
  int fd;
  int number;
  int order{0};
  bool posted{false};  // the request in flight is a POST
  std::string in{};
  std::string id{};  // of the order to delete; empty = post one
};

void send_request(Connection& c, bool orders) {
  constexpr std::string_view kHead =
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nAPCA-API-KEY-ID: KEY\r\nAPCA-API-SECRET-KEY: SECRET\r\n";
  std::string request;
  c.posted = orders && c.id.empty();
  if (!orders) {
    request = "GET /v2/clock" + std::string(kHead) + "\r\n";
  } else if (c.posted) {
    const std::string body =
        R"({"symbol":"BTC/USD","qty":"0.001","side":"buy","type":"limit","limit_price":"10000",)"
        R"("time_in_force":"gtc","client_order_id":"b)" +
        std::to_string(c.number) + "-" + std::to_string(c.order++) + "\"}";
    request = "POST /v2/orders" + std::string(kHead) +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  } else {
    request = "DELETE /v2/orders/" + c.id + std::string(kHead) + "\r\n";
    c.id.clear();
  }
  if (::send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    die("a request could not be sent");
  }
}

// The complete answer at the front of c.in was read: what follows from it.
void take_answer(Connection& c, std::string_view body) {
  const int status = std::atoi(c.in.c_str() + sizeof "HTTP/1.1");
  if (status != 200 && status != 204) {
    die("answer " + c.in);
  }
  if (c.posted) {
    constexpr std::string_view kKey = R"("id":")";
    const std::size_t at = body.find(kKey);
    if (at == std::string_view::npos) {
      die("no id in " + std::string(body));
    }
    c.id = body.substr(at + kKey.size(), 36);
  }
}

// Whether a whole answer has come.
bool receive(Connection& c) {
  char buffer[16 << 10];
  const ssize_t got = ::recv(c.fd, buffer, sizeof buffer, 0);
  if (got <= 0) {
    die("the simulator closed a connection");
  }
  c.in.append(buffer, static_cast<std::size_t>(got));
  const std::size_t head = c.in.find("\r\n\r\n");
  if (head == std::string::npos) {
    return false;
  }
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t at = c.in.find(kLength);
  const std::size_t length =
      at < head ? std::strtoul(c.in.c_str() + at + kLength.size(), nullptr, 10) : 0;
  if (c.in.size() < head + 4 + length) {
    return false;
  }
  take_answer(c, std::string_view(c.in).substr(head + 4, length));
  c.in.clear();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    die("usage: PORT CONNECTIONS SECONDS orders|clock");
  }
  const bool orders = std::string_view(argv[4]) == "orders";
  std::vector<Connection> connections;
  std::vector<pollfd> waits;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    connections.push_back({connect_to(std::atoi(argv[1])), i});
    waits.push_back({connections.back().fd, POLLIN, 0});
  }
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto end = start + std::chrono::seconds(std::atoi(argv[3]));
  for (Connection& c : connections) {
    send_request(c, orders);
  }
  long answers = 0;
  while (Clock::now() < end) {
    if (::poll(waits.data(), waits.size(), 1'000) <= 0) {
      die("no answer within a second");
    }
    for (std::size_t i = 0; i < connections.size(); ++i) {
      if ((waits[i].revents & POLLIN) != 0 && receive(connections[i])) {
        ++answers;
        send_request(connections[i], orders);
      }
    }
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  std::printf("{\"answers\":%ld,\"seconds\":%.6f}\n", answers, took.count());
  return 0;
}
