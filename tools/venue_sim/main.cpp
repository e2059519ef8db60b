// sluice-venue: a venue on loopback that plays a recorded session and trades against it.
//
// Prints one line of JSON (ports and addresses) on stdout when it listens, everything else on
// stderr. Ends with SIGTERM or SIGINT: writes ledger.json into the state folder and exits 0.
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "tools/venue_sim/server.hpp"

namespace {

using sluice::Error;
using sluice::ExitCode;

// relaxed everywhere: one flag between a handler and the thread it interrupts.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler stores it");

void on_signal(int) {
  stop_requested.store(true, std::memory_order_relaxed);
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // no SA_RESTART: a waiting poll ends at once
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

struct Texts {
  std::string session;
  std::string speed{"1"};
  std::string cash{"100000"};
  std::string fees_at{"fill"};
  std::string log_level{"info"};
  std::int64_t order_latency_us{3'500};
  std::int64_t cancel_latency_us{3'500};
  std::int64_t answer_latency_us{0};
  std::int64_t mute_ms{90'000};
  std::int64_t ghost_ms{0};
  std::string plan{"full"};
  std::int64_t clock_skew_ms{0};
  std::int64_t history_minutes{0};
  bool on_subscribe{false};  // says the default aloud
  bool exit_with_parent{false};
};

void declare_trading(CLI::App& app, sluice::sim::TradingSwitches& trading) {
  app.add_option(
         "--multiplier", trading.multiplier,
         "of the buying power for equities: 1, 2, 4, or auto: 4 if the session has equities")
      ->capture_default_str();
  app.add_option("--shorting", trading.shorting, "on, off, or auto: with a multiplier above 1")
      ->capture_default_str();
  app.add_option("--wash-trade", trading.wash_trade,
                 "refuse orders that would meet own ones: on, off, or equities")
      ->capture_default_str();
  app.add_option("--blocked", trading.blocked, "no, trading or account: every order is refused")
      ->capture_default_str();
  app.add_option("--variant", trading.variants,
                 "NAME=VALUE,…: what is not known of the venue (README.md)");
}

void declare(CLI::App& app, Texts& texts, sluice::sim::ServerConfig& config) {
  app.set_version_flag("--version", std::string("sluice-venue ") + SLUICE_VERSION);
  app.add_option("--session", texts.session, "recorded session to play")->required();
  app.add_option("--state", config.state_dir,
                 "folder of the account; empty: a new account, old: the same one")
      ->required();
  app.add_option("--speed", texts.speed, "session seconds per second, 0.001 to 10000, or max")
      ->capture_default_str();
  app.add_option("--port", config.port, "TCP port on 127.0.0.1, 0 = chosen and printed")
      ->capture_default_str();
  app.add_option("--key", config.credentials.key, "API key (or SLUICE_VENUE_KEY)")
      ->envname("SLUICE_VENUE_KEY")
      ->required();
  app.add_option("--secret", config.credentials.secret, "API secret (or SLUICE_VENUE_SECRET)")
      ->envname("SLUICE_VENUE_SECRET")
      ->required();
  app.add_flag("--start-on-subscribe", texts.on_subscribe,
               "play from the first subscription to market data on (default)");
  app.add_flag("--start-at-once", config.start_at_once, "play from the start of the process on")
      ->excludes("--start-on-subscribe");
  app.add_option("--cash", texts.cash, "USD of a new account")->capture_default_str();
  app.add_option("--taker-bps", config.fees.taker_bps, "fee on what is received")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  app.add_option("--maker-bps", config.fees.maker_bps, "the same for resting orders")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  app.add_option("--fees-at", texts.fees_at, "when CFEE activities are posted")
      ->check(CLI::IsMember({"fill", "day-end"}))
      ->capture_default_str();
  declare_trading(app, config.trading);
  const CLI::Range latency(0, 60'000'000);
  app.add_option("--order-latency-us", texts.order_latency_us,
                 "session time from acceptance to the book; 0 at speed max")
      ->check(latency)
      ->capture_default_str();
  app.add_option("--cancel-latency-us", texts.cancel_latency_us, "the same for cancels")
      ->check(latency)
      ->capture_default_str();
  app.add_option("--answer-latency-us", texts.answer_latency_us, "session time of a REST answer")
      ->check(latency)
      ->capture_default_str();
  app.add_option("--rate-limit", config.rate_limit_per_minute, "REST requests per minute")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_flag("--retry-after", config.tell_retry_after, "429 answers carry Retry-After");
  app.add_option("--md-connections", config.market_connections,
                 "authenticated market data connections at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--md-plan", texts.plan,
                 "market data plan; basic: no /v2/sip, 30 symbols on /v2/iex")
      ->check(CLI::IsMember({"full", "basic"}))
      ->capture_default_str();
  app.add_option("--md-mute-ms", texts.mute_ms,
                 "a market data client silent for so long, pongs included, loses its place")
      ->check(CLI::Range(1, 86'400'000))
      ->capture_default_str();
  app.add_option("--md-ghost-ms", texts.ghost_ms,
                 "a market data connection lost without a close frame holds its place so long")
      ->check(CLI::Range(0, 86'400'000))
      ->capture_default_str();
  app.add_option("--md-upgrades", config.upgrades_per_minute,
                 "market data upgrades per minute, beyond: HTTP 429; 0 = no limit")
      ->capture_default_str();
  app.add_option("--repeat", config.repeat,
                 "play the session so many times, times and ids going on; for load, not judged")
      ->check(CLI::Range(std::size_t{1}, sluice::sim::kRepeatMax))
      ->capture_default_str();
  app.add_option("--history-minutes", texts.history_minutes,
                 "so much of the session is past already when it starts: REST has it, no stream")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  app.add_option("--corrections", config.corrections,
                 "every Nth trade of a stock is corrected, every 2Nth cancelled; 0 = none")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--seed", config.seed, "of all ids of a new account, 0 = random")
      ->capture_default_str();
  app.add_option("--fault", config.fault,
                 "a script of faults, e.g. 'post lose-answer every=3'; see the README")
      ->capture_default_str();
  app.add_option("--clock-skew-ms", texts.clock_skew_ms,
                 "added to every stamp the venue tells; may be negative")
      ->check(CLI::Range(-3'600'000, 3'600'000))
      ->capture_default_str();
  app.add_flag("--exit-with-parent", texts.exit_with_parent, "SIGTERM when the parent dies");
  app.add_option("--log-level", texts.log_level, "debug, info, warn or error")
      ->capture_default_str();
}

void convert(const Texts& texts, sluice::sim::ServerConfig& config) {
  sluice::LogLevel level{};
  if (!sluice::parse_log_level(texts.log_level, level)) {
    throw Error(ExitCode::kUsage,
                "--log-level " + texts.log_level + ": allowed are debug, info, warn and error");
  }
  sluice::log_init("venue", level);
  config.speed = sluice::sim::parse_speed(texts.speed);
  if (sluice::parse_decimal(texts.cash, config.cash.raw) != sluice::DecimalStatus::kOk ||
      config.cash.raw < 0) {
    throw Error(ExitCode::kUsage,
                "--cash " + texts.cash + ": allowed are amounts from 0 to 9200000000");
  }
  config.basic_plan = texts.plan == "basic";
  config.history_ns = texts.history_minutes * 60 * sluice::kNanosPerSecond;
  config.mute_ns = texts.mute_ms * sluice::kNanosPerMilli;
  config.ghost_ns = texts.ghost_ms * sluice::kNanosPerMilli;
  config.fees_at_day_end = texts.fees_at == "day-end";
  config.order_latency_ns = texts.order_latency_us * sluice::kNanosPerMicro;
  config.cancel_latency_ns = texts.cancel_latency_us * sluice::kNanosPerMicro;
  config.answer_latency_ns = texts.answer_latency_us * sluice::kNanosPerMicro;
  config.clock_skew_ns = texts.clock_skew_ms * sluice::kNanosPerMilli;
  if (config.credentials.key.empty() || config.credentials.secret.empty()) {
    throw Error(ExitCode::kUsage, "--key and --secret must not be empty");
  }
}

int body(int argc, char** argv) {
  CLI::App app{"Plays a recorded session as a venue on loopback and trades against it."};
  Texts texts;
  sluice::sim::ServerConfig config;
  declare(app, texts, config);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  if (texts.exit_with_parent) {
    const pid_t parent = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) {
      return 0;  // it died before the call: nobody is left to serve
    }
  }
  convert(texts, config);
  handle_signals();
  const sluice::Session session = sluice::load_session(texts.session);
  sluice::sim::VenueServer server(session, config);
  std::printf("%s\n", server.ports_json().c_str());
  std::fflush(stdout);
  server.run(stop_requested);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-venue", body, argc, argv);
}
