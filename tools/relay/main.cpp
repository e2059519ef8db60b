// sluice-relay: captures the wire between the trading side and the venue. See relay.hpp,
// capture.hpp.
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "tools/relay/relay.hpp"

namespace {

using namespace sluice;
using relay::Route;

constexpr const char* kUsage =
    "usage: sluice-relay --route NAME=LISTENPORT:[HOST:]TARGETPORT [--route ...] --capture FILE\n"
    "                    [--exit-with-parent]\n"
    "  --route    listen on 127.0.0.1:LISTENPORT (0: the kernel chooses) and forward to\n"
    "             HOST:TARGETPORT (HOST is a numeric IPv4 address, 127.0.0.1 if left out)\n"
    "  --capture  the file that gets every byte of both directions; overwritten\n"
    "  --exit-with-parent  end in order when the process that started this one has died\n"
    "Prints {\"ports\":{NAME:PORT}} on stdout when it listens. Ends on SIGTERM or SIGINT.\n";

[[noreturn]] void usage_error(const std::string& what) {
  throw Error(ExitCode::kUsage, what + "; see sluice-relay --help");
}

std::uint16_t parse_port(const std::string& route, std::string_view text, bool zero_allowed) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || stop != text.data() + text.size() || (port == 0 && !zero_allowed)) {
    usage_error("--route \"" + route + "\": \"" + std::string(text) + "\" is no port from " +
                (zero_allowed ? "0" : "1") + " to 65535");
  }
  return port;
}

Route parse_route(const std::string& value) {
  const std::size_t equals = value.find('=');
  const std::size_t colon = value.find(':', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || equals == 0 || colon == std::string::npos) {
    usage_error("--route \"" + value + "\" is not NAME=LISTENPORT:[HOST:]TARGETPORT");
  }
  Route route;
  route.name = value.substr(0, equals);
  for (const char c : route.name) {  // the name goes into JSON as it is
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!plain || route.name.size() > 32) {
      usage_error("--route \"" + value + "\": a name has up to 32 of a-z, 0-9, - and _");
    }
  }
  const std::string_view text = value;
  route.listen_port = parse_port(value, text.substr(equals + 1, colon - equals - 1), true);
  const std::string_view target = text.substr(colon + 1);
  if (const std::size_t host_end = target.rfind(':'); host_end != std::string_view::npos) {
    route.target_host = target.substr(0, host_end);
  }
  route.target_port = parse_port(value, target.substr(target.rfind(':') + 1), false);
  return route;
}

struct Arguments {
  std::vector<Route> routes;
  std::string capture;
  bool exit_with_parent{false};
  bool help{false};
};

Arguments parse_arguments(int argc, char** argv) {
  constexpr std::size_t kRoutesMax = 256;  // the capture has one byte for the route
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--help" || key == "-h") {
      out.help = true;
      return out;
    }
    if (key == "--exit-with-parent") {
      out.exit_with_parent = true;
      continue;
    }
    if (key != "--route" && key != "--capture") {
      usage_error("unknown argument \"" + key + "\"");
    }
    if (++i == argc) {
      usage_error(key + " needs a value");
    }
    if (key == "--capture") {
      out.capture = argv[i];
      continue;
    }
    out.routes.push_back(parse_route(argv[i]));
    for (std::size_t r = 0; r + 1 < out.routes.size(); ++r) {
      if (out.routes[r].name == out.routes.back().name) {
        usage_error("--route: the name \"" + out.routes[r].name + "\" is given twice");
      }
    }
  }
  if (out.routes.empty() || out.routes.size() > kRoutesMax || out.capture.empty()) {
    usage_error("1 to 256 times --route and one --capture are needed");
  }
  return out;
}

int body(int argc, char** argv) {
  const Arguments arguments = parse_arguments(argc, argv);
  if (arguments.help) {
    std::fputs(kUsage, stderr);
    return 0;
  }
  const pid_t parent = ::getppid();
  if (arguments.exit_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) {
      return 0;  // it died before the call
    }
  }
  // A capture that meets a file size limit is an error with a message like a full disk, not a
  // signal.
  std::signal(SIGXFSZ, SIG_IGN);
  relay::Relay relay(arguments.routes, arguments.capture);
  std::string line = "{\"ports\":{";
  const std::vector<std::uint16_t> ports = relay.ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    line += (i == 0 ? "\"" : ",\"") + arguments.routes[i].name + "\":" + std::to_string(ports[i]);
  }
  std::printf("%s}}\n", line.c_str());
  std::fflush(stdout);
  relay.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-relay", body, argc, argv);
}
