// Subscribes to the simulator's market data and drops it: what the simulator can serve when nobody
// works.
//
//   bench_pipeline_drain PORT KEY SECRET SYMBOL…    until standard input closes; prints frames and
//   bytes
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/base/error.hpp"
#include "common/net/loop.hpp"
#include "common/net/ws_client.hpp"

namespace {

using namespace sluice;

bool input_closed() {
  pollfd in{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&in, 1, 0) > 0 && (in.revents & POLLHUP) != 0;
}

int body(int argc, char** argv) {
  if (argc < 5)
    throw Error(ExitCode::kUsage, "usage: bench_pipeline_drain PORT KEY SECRET SYMBOL…");
  std::string symbols;
  for (int i = 4; i < argc; ++i)
    symbols += fmt::format("{}\"{}\"", i == 4 ? "" : ",", argv[i]);
  net::Loop loop;
  net::WsClient* client = nullptr;
  int step = 0;
  net::WsClientHandler handler;
  handler.on_message = [&](std::string_view, bool, MonoNanos) {
    if (step == 0) {
      static_cast<void>(client->send(
          fmt::format(R"({{"action":"auth","key":"{}","secret":"{}"}})", argv[2], argv[3])));
    } else if (step == 1) {
      static_cast<void>(client->send(
          fmt::format(R"({{"action":"subscribe","quotes":[{0}],"trades":[{0}]}})", symbols)));
    }
    ++step;
  };
  handler.on_closed = [](const net::WsClosed& closed) {
    std::fprintf(stderr, "closed: %s\n", closed.text.c_str());
  };
  net::WsClient socket(
      loop, {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(std::atoi(argv[1]))},
      "/v1beta3/crypto/us", {}, std::move(handler));
  client = &socket;
  while (!input_closed())
    loop.service(20);
  std::printf("{\"frames\":%llu,\"bytes\":%llu}\n",
              static_cast<unsigned long long>(socket.counters().messages),
              static_cast<unsigned long long>(socket.counters().bytes));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("bench_pipeline_drain", body, argc, argv);
}
