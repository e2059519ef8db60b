#include "tools/demo_run/demo.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/base/time.hpp"
#include "common/runtime/process.hpp"
#include "common/runtime/stage.hpp"
#include "shm/instance.hpp"
#include "tools/demo_run/books.hpp"
#include "tools/demo_run/judges.hpp"
#include "tools/demo_run/report.hpp"
#include "tools/demo_run/run_folder.hpp"
#include "tools/demo_run/strategies.hpp"
#include "tools/demo_run/venue_client.hpp"

namespace sluice::demo {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kStartWithin = seconds(60);
constexpr auto kSettled = milliseconds(1500);  // flat and quiescent for this long
constexpr auto kLook = milliseconds(50);
// The wind-down begins this long before the session ends: what is held is sold to a market that
// still moves, because size once taken from a recorded quote does not come back.
constexpr std::int64_t kWindDownBeforeNs = 6'000'000'000;
constexpr int kStopMs = 20'000;
constexpr std::size_t kMaxJudgeBytes = 256u << 20;

// The simulator's credentials: of no use anywhere else, and not secret.
constexpr const char* kKey = "DEMOKEY0000000000000";
constexpr const char* kSecret = "demo-secret-of-the-simulator-only";

std::uint16_t port_in(const Json& ports, const std::string& name, const std::string& who) {
  const auto at = ports.find(name);
  if (at == ports.end() || !at->is_number_unsigned()) {
    throw Error(ExitCode::kBug, who + " printed no port '" + name + "'");
  }
  return at->get<std::uint16_t>();
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options)
      : options_(options),
        input_(find_input(options.input)),
        run_(make_run_folder(options.root)),
        terminal_(::isatty(STDERR_FILENO) != 0) {}

  int run() {
    try {
      convert_input(input_, run_);
      start_venue();
      start_relay();
      prepare_instance();
      start_instance();
      trade();
      wind_down();
      const bool quiet = wait_until_quiet();
      return judge(quiet);
    } catch (...) {
      shut_down();
      throw;
    }
  }

 private:
  // ---- start --------------------------------------------------------------------------------
  Json first_line(Child& child, const std::string& who, const std::string& log) {
    std::string line;
    if (!child.read_line(line, 20'000)) {
      child.reap(2000);
      std::ifstream in(log);
      std::string last;
      for (std::string text; std::getline(in, text);)
        last = text;
      throw Error(child.running() ? ExitCode::kBug : static_cast<ExitCode>(child.status().code),
                  who + " did not start (" +
                      (child.running() ? "no answer" : child.status().text()) + "): " + last);
    }
    return Json::parse(line);
  }

  void start_venue() {
    const std::string log = run_.logs + "/venue.log";
    std::vector<std::string> arguments{"--session",    input_.session, "--state",  run_.venue_state,
                                       "--speed",      options_.speed, "--port",   "0",
                                       "--key",        kKey,           "--secret", kSecret,
                                       "--rate-limit", "10000"};
    if (!options_.fault.empty())
      arguments.insert(arguments.end(), {"--fault", options_.fault});
    if (!options_.variant.empty())
      arguments.insert(arguments.end(), {"--variant", options_.variant});
    venue_ = Child::start(binary_path("sluice-venue"), arguments, log, true);
    venue_port_ = port_in(first_line(venue_, "the simulator", log), "port", "the simulator");
    client_ = std::make_unique<VenueClient>(venue_port_);
  }

  void start_relay() {
    const std::string log = run_.logs + "/relay.log";
    const std::string target = std::to_string(venue_port_);
    relay_ = Child::start(binary_path("sluice-relay"),
                          {"--route", "market-data=0:" + target, "--route", "trading=0:" + target,
                           "--capture", run_.capture},
                          log, true);
    const Json ports = first_line(relay_, "the relay", log).at("ports");
    ports_ = {.market_data = port_in(ports, "market-data", "the relay"),
              .trading = port_in(ports, "trading", "the relay")};
  }

  void prepare_instance() {
    write_credentials(run_, kKey, kSecret);
    write_instance_config(run_, input_, options_.root + "/state", ports_);
    config_ = load_instance_config(run_.config);
    if (std::filesystem::remove(config_.state_dir + "/killed")) {
      log_warn("the kill switch of an earlier demo is cleared: this run trades a fresh account");
    }
    std::ofstream(run_.path + "/ports.json") << Json{{"venue", venue_port_},
                                                     {"market_data", ports_.market_data},
                                                     {"trading", ports_.trading}}
                                                    .dump()
                                             << "\n";
  }

  void start_instance() {
    instance_ =
        Child::start(binary_path("sluicectl"),
                     {"up", "--keep", "--wait", "30", "--logs", run_.logs, "--config", run_.config},
                     run_.logs + "/sluicectl.log");
    const auto until = Clock::now() + kStartWithin;
    while (phase() == "waiting") {
      check_running();
      if (Clock::now() > until) {
        throw Error(ExitCode::kVenueUnavailable, "the feed-handler did not subscribe within " +
                                                     std::to_string(kStartWithin.count()) +
                                                     " s; see " + run_.logs);
      }
      std::this_thread::sleep_for(kLook);
    }
    started_ = Clock::now();
  }

  // ---- run ----------------------------------------------------------------------------------
  std::string phase() {
    status_ = client_->get("/sim/status");
    return status_.at("phase").get<std::string>();
  }

  void check_running() {
    if (stop_requested())
      throw Error(ExitCode::kNotReconciled, "interrupted; nothing was judged");
    for (Child* child : {&instance_, &venue_, &relay_}) {
      if (!child->reap(0))
        continue;
      const char* who = child == &instance_ ? "the instance"
                        : child == &venue_  ? "the simulator"
                                            : "the relay";
      const int code =
          child->status().exited && child->status().code != 0 ? child->status().code : 1;
      throw Error(static_cast<ExitCode>(code), std::string(who) + " ended early (" +
                                                   child->status().text() + "); see " + run_.logs);
    }
  }

  void trade() {
    auto next_line = Clock::now();
    while (phase() != "ended" && !ends_soon()) {
      check_running();
      if (options_.seconds > 0 && Clock::now() - started_ >= seconds(options_.seconds))
        break;
      if (Clock::now() >= next_line) {
        next_line += seconds(1);
        progress();
      }
      std::this_thread::sleep_for(kLook);
    }
    progress();
  }

  // A session of less than twice that time is used to its half. At speed `max` no end is told.
  bool ends_soon() {
    const auto end_ns = status_.at("session_end_wall_ns").get<std::int64_t>();
    const auto begin_ns = status_.at("t0_ns").get<std::int64_t>();
    const std::int64_t ahead = std::min(kWindDownBeforeNs, (end_ns - begin_ns) / 2);
    return end_ns != 0 && wall_now().ns >= end_ns - ahead;
  }

  void progress() {
    const Progress p = look(config_);
    const auto sent = status_.at("events_sent").get<std::uint64_t>();
    const auto total = std::max<std::uint64_t>(1, status_.at("events_total").get<std::uint64_t>());
    const double elapsed = std::chrono::duration<double>(Clock::now() - started_).count();
    const std::string line = fmt::format(
        "{:5.1f} s  session {:3} %  events {:>7}  intents {:>5}  orders {:>5}  fills {:>5}  "
        "working {:>2}  realised {:>14} USD{}",
        elapsed, sent * 100 / total, p.market_events, p.intents, p.orders, p.fills, p.working,
        p.realised,
        p.killed         ? "  KILLED"
        : p.winding_down ? "  winding down"
                         : "");
    // On a terminal one line that renews itself; in a log one line each time.
    std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
    std::fflush(stderr);
  }

  void wind_down() {
    const ExitStatus status = run_and_wait(
        binary_path("sluicectl"), {"wind-down", "--config", run_.config, "--log-level", "warn"});
    if (!status.ok())
      why_not_.push_back("the wind-down command failed: " + status.text());
  }

  bool wait_until_quiet() {
    const auto until = Clock::now() + seconds(options_.quiet_within);
    auto quiet_since = Clock::now();
    auto next_line = Clock::now();
    while (Clock::now() < until) {
      check_running();
      const Progress p = look(config_);
      status_ = client_->get("/sim/status");
      const bool quiet = p.quiescent && (p.flat || p.killed) && p.winding_down &&
                         status_.at("open_orders").get<std::uint64_t>() == 0;
      if (!quiet)
        quiet_since = Clock::now();
      if (Clock::now() - quiet_since >= kSettled)
        break;
      if (Clock::now() >= next_line) {
        next_line += seconds(1);
        progress();
      }
      std::this_thread::sleep_for(kLook);
    }
    progress();
    if (terminal_)
      std::fputc('\n', stderr);
    const Progress p = look(config_);
    if (!p.quiescent)
      why_not_.push_back("orders or fees were still open when the time was up");
    if (!p.flat)
      why_not_.push_back("a position is left that could be sold");
    return p.quiescent;
  }

  // ---- judge --------------------------------------------------------------------------------
  int judge(bool quiet) {
    Json venue_books = client_->get("/sim/ledger");
    if (carried())
      count_own_executions(venue_books);
    stop(instance_, "the instance");
    stop(relay_, "the relay");
    Json report = our_numbers(config_);
    report["strategies"] = strategy_numbers(config_);
    report["statuses"] = statuses_received(config_);
    report["replaces"] = sum_of(report["strategies"], "replaces");
    const Judge ours{.name = "our books", .books = our_books(config_)};
    const Judge venue{.name = "the ledger", .books = venue_books};
    const Judge wire{.name = "the wire", .books = wire_books()};
    stop(venue_, "the simulator");
    const Json judges = compare(ours, venue, wire);
    for (const Judge* j : {&ours, &venue, &wire}) {
      std::ofstream(run_.path + "/" + file_name(*j)) << j->books.dump(1) << "\n";
    }
    destroy_segments();
    if (!judges.at("equal").get<bool>())
      why_not_.push_back("the judges differ");
    if (options_.require_activity) {
      for (const char* count : {"fills", "partial_fills", "cancels"}) {
        if (report.at(count).get<std::uint64_t>() == 0)
          why_not_.push_back(std::string("no ") + count);
      }
    }
    finish_report(report, judges, quiet && why_not_.empty());
    const std::string text = report.dump(2);
    std::ofstream(run_.path + "/report.json") << text << "\n";
    std::fputs(report_text(report).c_str(), stderr);
    if (options_.json)
      std::printf("%s\n", text.c_str());
    return report.at("reconciled").get<bool>() ? 0 : static_cast<int>(ExitCode::kNotReconciled);
  }

  static std::uint64_t sum_of(const Json& list, const char* key) {
    std::uint64_t sum = 0;
    for (const Json& item : list)
      sum += item.at(key).get<std::uint64_t>();
    return sum;
  }

  static std::string file_name(const Judge& judge) {
    return judge.name == "our books"    ? "books.json"
           : judge.name == "the ledger" ? "ledger.json"
                                        : "wire.json";
  }

  // In the order of a planned stop: the gateway cancels while the venue can still hear it.
  void shut_down() {
    for (Child* child : {&instance_, &relay_, &venue_}) {
      if (!child->running())
        continue;
      child->signal(SIGTERM);
      if (!child->reap(kStopMs)) {
        child->signal(SIGKILL);
        child->reap(-1);
      }
    }
    destroy_segments();
  }

  void destroy_segments() {
    if (config_.path.empty())
      return;
    static_cast<void>(run_and_wait(
        binary_path("sluicectl"),
        {"shm", "destroy", "--force", "--config", run_.config, "--log-level", "error"}));
  }

  void stop(Child& child, const char* who) {
    child.signal(SIGTERM);
    if (!child.reap(kStopMs)) {
      why_not_.push_back(std::string(who) + " did not stop");
      child.signal(SIGKILL);
      child.reap(-1);
    } else if (!child.status().ok()) {
      why_not_.push_back(std::string(who) + " ended with " + child.status().text());
    }
  }

  [[nodiscard]] bool carried() const {
    return options_.variant.find("replace-filled=carried") != std::string::npos;
  }

  Json wire_books() {
    std::vector<std::string> arguments{options_.judge, "--capture", run_.capture, "--session",
                                       input_.session};
    if (carried())
      arguments.emplace_back("--carried");
    Child judge = Child::start("/usr/bin/python3", arguments, run_.logs + "/judge.log", true);
    const std::string out = judge.read_all(kMaxJudgeBytes);
    judge.reap(-1);
    // 1 is a verdict (violations), printed like any other; everything else is no verdict at all.
    if (judge.status().code > 1 || !judge.status().exited || out.empty()) {
      throw Error(ExitCode::kBug, "the wire judge failed (" + judge.status().text() + "); see " +
                                      run_.logs + "/judge.log");
    }
    return Json::parse(out);
  }

  void finish_report(Json& report, const Json& judges, bool reconciled) {
    Json head{{"input", options_.input.name}, {"reconciled", reconciled}};
    head.update(report);
    head["dust"] = our_positions();
    head["judges"] = judges;
    head["why_not"] = why_not_;
    head["run"] = run_.path;
    report = std::move(head);
  }

  Json our_positions() {
    std::ifstream in(run_.path + "/books.json");
    return Json::parse(in).at("positions");
  }

  const DemoOptions& options_;
  Input input_;
  RunFolder run_;
  bool terminal_;
  Child venue_;
  Child relay_;
  Child instance_;
  std::uint16_t venue_port_{0};
  Ports ports_;
  InstanceConfig config_;
  std::unique_ptr<VenueClient> client_;
  Json status_;
  Clock::time_point started_{};
  std::vector<std::string> why_not_;
};

}  // namespace

int run_demo(const DemoOptions& options) {
  install_stop_signals();
  return Demo(options).run();
}

}  // namespace sluice::demo
