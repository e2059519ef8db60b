#include "procs/feed_handler/feed_app.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/topology.hpp"

namespace sluice {
namespace {

using venue::alpaca::ControlKind;
using venue::alpaca::ControlMessage;

constexpr std::int64_t kCountersEvery = 5'000'000;
constexpr std::uint32_t kFeedErrorCode = 1;

// The venue's codes that no retry mends (protocol table 1.5).
constexpr int kAuthFailed = 402;
constexpr int kInsufficientSubscription = 409;
constexpr int kInvalidAction = 410;
constexpr int kInsufficientScope = 411;
constexpr int kSymbolLimit = 405;

// Symbols come from the configuration; quotes and backslashes are refused there by the symbol
// table.
std::string symbol_list(const InstanceConfig& config, const FeedConfig& feed) {
  std::string list;
  for (const InstrumentConfig& instrument : config.instruments) {
    if (instrument.feed == feed.index)
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", instrument.spec.symbol);
  }
  return list;
}

std::uint32_t symbol_count(const InstanceConfig& config, const FeedConfig& feed) {
  const auto ours = [&](const InstrumentConfig& i) { return i.feed == feed.index; };
  return static_cast<std::uint32_t>(
      std::count_if(config.instruments.begin(), config.instruments.end(), ours));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

}  // namespace

FeedApp::FeedApp(StageShell& shell, const FeedConfig& feed, Credentials credentials)
    : shell_(shell),
      feed_(feed),
      credentials_(std::move(credentials)),
      instruments_(shell.config().instrument_table()),
      decoder_(venue::SymbolTable(instruments_), {.feed = feed.index}),
      publisher_(shell, feed),
      commands_(shell.instance(), ring::command(shell.role())),
      loop_(shell.instance().clock()) {
  publisher_.begin_session(decoder_.next_stamp(shell.now()));
  net::WsClientOptions options;
  options.max_message_bytes = 256 * 1024;
  options.reconnect = {.enabled = true,
                       .first_ns = feed.reconnect_min_ns,
                       .max_ns = feed.reconnect_max_ns,
                       .max_failures = 0};  // failures are counted here, where a refusal counts too
  socket_ = std::make_unique<net::WsClient>(
      loop_, net::Endpoint{.host = feed.host, .port = feed.port, .tls = false}, feed.path, options,
      net::WsClientHandler{
          .on_open = [this] { phase_ = Phase::kOpen; },
          .on_message = [this](std::string_view payload, bool,
                               MonoNanos receive_ns) { on_message(payload, receive_ns); },
          .on_closed = [this](const net::WsClosed& closed) { on_closed(closed); }});
}

std::size_t FeedApp::poll(MonoNanos now) {
  handled_ = 0;
  loop_.poll_once();
  publisher_.end_turn(now);
  // Only the operator's wind-down exists so far, and a feed has nothing to wind down.
  handled_ += commands_.drain([](const Command&) {}, 8);
  if (now.ns - last_counters_.ns >= kCountersEvery) {
    last_counters_ = now;
    publish_counters();
  }
  return handled_;
}

void FeedApp::wait(int timeout_ms) {
  loop_.service(timeout_ms);
  const MonoNanos now = shell_.now();
  publisher_.end_turn(now);
  if (handled_ != 0)
    shell_.add_busy(now.ns - first_receive_.ns);
}

void FeedApp::drain() {
  publisher_.end_turn(shell_.now());
  publisher_.mark_all_after_gap();
  publish_counters();
  socket_.reset();
}

void FeedApp::on_message(std::string_view payload, MonoNanos receive_ns) {
  if (handled_++ == 0)
    first_receive_ = receive_ns;
  bytes_ += payload.size();
  shm::StagePage& page = shell_.page();
  const std::uint64_t refused_before = decoder_.counters().bad.refused();
  const venue::DecodeStatus status = decoder_.decode(
      payload, receive_ns,
      [&](const MarketEvent& event) {
        publisher_.publish(event);
        page.record(FeedMetric::kWireToRecord, shell_.now().ns - receive_ns.ns);
        if (event.kind == MarketKind::kQuote) {
          page.record(FeedMetric::kVenueLag, receive_ns.ns - event.exchange_ns.ns);
        }
      },
      [&](const ControlMessage& control) { on_control(control); });
  if (status != venue::DecodeStatus::kOk || decoder_.counters().bad.refused() != refused_before) {
    const venue::DecodeFault& fault = decoder_.last_fault();
    page.error(kFeedErrorCode,
               fmt::format("bad market data: {} field '{}'", to_string(fault.status), fault.field),
               receive_ns);
  }
}

void FeedApp::on_control(const ControlMessage& control) {
  switch (control.kind) {
    case ControlKind::kConnected:
      authenticate();
      return;
    case ControlKind::kAuthenticated:
      if (phase_ == Phase::kAuthenticating)
        subscribe();
      return;
    case ControlKind::kSubscription: {
      const std::uint32_t wanted = symbol_count(shell_.config(), feed_);
      if (const std::string missing = not_acknowledged(control, wanted); !missing.empty()) {
        shell_.fail(ExitCode::kVenueUnavailable,
                    fmt::format("feed {}: the venue acknowledged {}; check the symbols in the "
                                "configuration and the plan's limit",
                                feed_.name, missing));
        return;
      }
      if (phase_ == Phase::kSubscribing) {
        ++connects_;
        failures_ = 0;
        phase_ = Phase::kSubscribed;
        log_info("subscribed to {} instruments at {}:{}{}", wanted, feed_.host, feed_.port,
                 feed_.path);
      }
      return;
    }
    case ControlKind::kError:
      on_error(control);
      return;
    case ControlKind::kOther:
      return;
  }
}

// What of the subscription the venue's answer lacks; empty: nothing.
std::string FeedApp::not_acknowledged(const ControlMessage& ack, std::uint32_t wanted) const {
  struct Channel {
    const char* name;
    bool asked;
    const venue::alpaca::SubscribedSet& set;
  };
  for (const Channel& c : {Channel{"quotes", true, ack.quotes},
                           {"trades", feed_.trades, ack.trades},
                           {"orderbooks", feed_.orderbooks, ack.orderbooks},
                           {"statuses", feed_.statuses, ack.statuses}}) {
    if (c.asked && !c.set.all && c.set.known < wanted)
      return fmt::format("{} of {} symbols for {}", c.set.known, wanted, c.name);
  }
  return {};
}

void FeedApp::on_error(const ControlMessage& control) {
  const std::string said = fmt::format("feed {}: the venue answered error {} \"{}\"", feed_.name,
                                       control.code, control.text.view());
  switch (control.code) {
    case kAuthFailed:
    case kInsufficientScope:
      shell_.fail(ExitCode::kCredentials, said + "; check the credentials file of this venue");
      return;
    case kSymbolLimit:
    case kInsufficientSubscription:
    case kInvalidAction:
      shell_.fail(ExitCode::kVenueUnavailable,
                  said + "; the plan does not allow this subscription");
      return;
    default:
      // 406 and the like: another connection still holds our slot; try again later.
      count_failure(said);
      socket_->cut();
      phase_ = Phase::kDown;
      loop_.after(feed_.reconnect_max_ns, [this] { socket_->open(); });
      return;
  }
}

void FeedApp::on_closed(const net::WsClosed& closed) {
  if (phase_ == Phase::kSubscribed) {
    ++disconnects_;
    publisher_.mark_all_after_gap();
  }
  phase_ = Phase::kDown;
  if (closed.reason == net::WsCloseReason::kByUs)
    return;
  if (closed.reason == net::WsCloseReason::kRefused &&
      (closed.http_status == 401 || closed.http_status == 403)) {
    shell_.fail(ExitCode::kCredentials,
                fmt::format("feed {}: the venue refused the connection with status {}; check the "
                            "credentials file of this venue",
                            feed_.name, closed.http_status));
    return;
  }
  count_failure(fmt::format("feed {}: {}:{}{}: {} ({})", feed_.name, feed_.host, feed_.port,
                            feed_.path, closed.text, to_string(closed.reason)));
}

void FeedApp::count_failure(const std::string& why) {
  ++failures_;
  shell_.page().error(kFeedErrorCode, why, shell_.now());
  log_warn("{}; failure {} of {}", why, failures_, feed_.reconnect_attempts);
  if (failures_ >= feed_.reconnect_attempts) {
    shell_.fail(ExitCode::kVenueUnavailable,
                fmt::format("feed {}: {} failures in a row, giving up; is the venue up at {}:{}?",
                            feed_.name, failures_, feed_.host, feed_.port));
  }
}

void FeedApp::authenticate() {
  phase_ = Phase::kAuthenticating;
  if (!socket_->send(fmt::format(R"({{"action":"auth","key":"{}","secret":"{}"}})",
                                 escaped(credentials_.key), escaped(credentials_.secret)))) {
    socket_->cut();
  }
}

void FeedApp::subscribe() {
  phase_ = Phase::kSubscribing;
  const std::string list = symbol_list(shell_.config(), feed_);
  std::string message = fmt::format(R"({{"action":"subscribe","quotes":[{}])", list);
  if (feed_.trades)
    message += fmt::format(R"(,"trades":[{}])", list);
  if (feed_.statuses)
    message += fmt::format(R"(,"statuses":[{}])", list);
  if (feed_.orderbooks)
    message += fmt::format(R"(,"orderbooks":[{}])", list);
  message += "}";
  if (!socket_->send(message))
    socket_->cut();
}

void FeedApp::publish_counters() noexcept {
  shm::StagePage& page = shell_.page();
  const venue::alpaca::MarketDataCounters& c = decoder_.counters();
  counted_.publish(page, FeedMetric::kFrames, c.frames);
  counted_.publish(page, FeedMetric::kBytes, bytes_);
  counted_.publish(page, FeedMetric::kQuotes, c.quotes);
  counted_.publish(page, FeedMetric::kTrades, c.trades);
  counted_.publish(page, FeedMetric::kDepth, c.levels);
  counted_.publish(page, FeedMetric::kStatuses, c.statuses);
  counted_.publish(page, FeedMetric::kUnknownStatuses, c.unknown_statuses);
  counted_.publish(page, FeedMetric::kSkipped, c.skipped + c.unknown_type);
  counted_.publish(page, FeedMetric::kUnknownSymbol, c.unknown_symbol);
  counted_.publish(page, FeedMetric::kBadElements, c.bad.refused());
  counted_.publish(page, FeedMetric::kBadFrames, c.frames_refused + c.frames_cut_short);
  counted_.publish(page, FeedMetric::kSuspectTicks, publisher_.suspect());
  counted_.publish(page, FeedMetric::kDropped, publisher_.dropped());
  counted_.publish(page, FeedMetric::kTapDropped, publisher_.tap_lost());
  counted_.publish(page, FeedMetric::kConnects, connects_);
  counted_.publish(page, FeedMetric::kDisconnects, disconnects_);
}

}  // namespace sluice
