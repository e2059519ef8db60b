#include "tools/venue_sim/server.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/log.hpp"

namespace sluice::sim {
namespace {

constexpr std::size_t kPlayAtOnce = 4'096;  // records between two looks at the sockets
constexpr std::size_t kPlayAtMax = 512;     // the socket's pace: smaller steps, fresh stamps
constexpr std::string_view kProxyUnauthorized =
    "<html><head><title>401 Authorization Required</title></head>"
    "<body><center><h1>401 Authorization Required</h1></center></body></html>";
constexpr std::int64_t kRepeatNs = kNanosPerSecond;
constexpr std::int64_t kDayNs = 86'400 * kNanosPerSecond;
constexpr int kStopCheckMs = 100;
constexpr std::size_t kBodyLimit = 32 << 10;      // an order is a few hundred bytes
constexpr std::size_t kMessageLimit = 256 << 10;  // a subscription of 4,096 symbols
constexpr std::size_t kSocketQueueBytes = 24 << 20;

// Anchored to UTC once and never stepped, by the kernel's own monotonic clock: the venue's clock is
// not the trading side's.
ClockCalibration venue_clock(std::int64_t skew_ns) noexcept {
  return {.tsc_base = clock_monotonic_ns(),
          .utc_base_ns = wall_now().ns + skew_ns,
          .mult = 0,
          .shift = 0,
          .reserved = 0};
}

AccountTerms new_account(const ServerConfig& config) {
  AccountTerms terms;
  const Id128 random = random_id();
  terms.seed = config.seed != 0 ? config.seed : random.lo;
  terms.identity.id = config.seed != 0 ? derived_id(config.seed, UINT64_MAX / 4) : random;
  terms.identity.number = "SIM" + std::to_string(10'000'000 + terms.identity.id.hi % 90'000'000);
  terms.identity.created_at = wall_now();
  terms.cash = config.cash;
  terms.fees = config.fees;
  return terms;
}

VenueOptions venue_options(const ServerConfig& config, const AccountTerms& terms,
                           const Timeline& timeline, const std::vector<Symbol>& symbols) {
  VenueOptions options;
  options.cash = terms.cash;
  options.fees = terms.fees;
  options.order_latency_ns = timeline.scaled(config.order_latency_ns);
  options.cancel_latency_ns = timeline.scaled(config.cancel_latency_ns);
  options.fees_at_day_end = config.fees_at_day_end;
  apply(config.trading, symbols, options);
  return options;
}

// The first half of an answer's bytes: head and length are right, the rest never comes.
std::string half_of(const ApiAnswer& answer) {
  return "HTTP/1.1 " + std::to_string(answer.status) + " OK\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(answer.body.size() + 1) + "\r\n\r\n" +
         answer.body.substr(0, answer.body.size() / 2);
}

// The day's bars begin with the day: a stock's in New York, a crypto pair's in UTC.
std::int64_t day_start_ns(const Session& session, NewYork& new_york) {
  const std::int64_t first = session.first_send_ns();
  const bool stocks = !session.symbols.empty() &&
                      session.symbols.front().asset_class == SessionAssetClass::kUsEquity;
  if (!stocks) {
    return first - first % kDayNs;
  }
  // "20190524113406977": the local time of day is what has passed since the local midnight.
  const std::string local = new_york.id_prefix(WallNanos{first - first % kNanosPerSecond});
  const auto two = [&local](std::size_t at) { return std::stoll(local.substr(at, 2)); };
  const std::int64_t seconds = two(8) * 3'600 + two(10) * 60 + two(12);
  return first - first % kNanosPerSecond - seconds * kNanosPerSecond;
}

// The midnight that began the trading day before the recorded one.
std::int64_t previous_day_ns(const Session& session, NewYork& new_york) {
  CivilDay day = new_york.local_day(WallNanos{session.first_send_ns()});
  do {
    --day.days;
  } while (!is_trading_day(day));
  return new_york.moment(day, 0).ns;
}

// Throws Error(kUsage) when the session would be over before it starts.
std::int64_t start_ns(const Session& session, const ServerConfig& config) {
  const std::int64_t start = session.first_send_ns() + config.history_ns;
  if (config.history_ns > 0 && (config.speed.max() || start > session.last_send_ns())) {
    throw Error(ExitCode::kUsage, "--history-minutes " +
                                      std::to_string(config.history_ns / (60 * kNanosPerSecond)) +
                                      ": needs a --speed other than max and a longer session");
  }
  return start;
}

// Limit, what is left of it, and when it is whole again, as the headers tell them.
std::array<std::string, 3> told_budget(const RateLimit* budget) {
  if (budget == nullptr) {
    return {};
  }
  return {std::to_string(budget->limit()), std::to_string(budget->remaining()),
          std::to_string(budget->reset_s())};
}

MarketHubOptions hub_options(const ServerConfig& config, const Session& session,
                             NewYork& new_york) {
  MarketHubOptions options;
  options.max_authenticated = config.market_connections;
  options.basic_plan = config.basic_plan;
  options.mute_ns = config.mute_ns;
  options.ping_every_ns = config.ping_every_ns;
  options.ghost_ns = config.ghost_ns;
  options.day_start_ns = day_start_ns(session, new_york);
  options.previous_day_ns = previous_day_ns(session, new_york);
  options.corrections = config.corrections;
  options.iex_recorded =
      std::any_of(session.records.begin(), session.records.end(),
                  [](const SessionRecord& record) { return record.exchange == 'V'; });
  return options;
}

}  // namespace

std::vector<Symbol> venue_symbols(const Session& session) {
  std::vector<Symbol> symbols;
  for (const SessionSymbol& recorded : session.symbols) {
    const bool equity = recorded.asset_class == SessionAssetClass::kUsEquity;
    Symbol symbol = (equity ? make_equity : make_symbol)(
        recorded.symbol, recorded.price_increment, recorded.qty_increment, recorded.min_order_qty);
    symbol.tape = recorded.tape;
    symbol.shortable = (recorded.flags & kSessionShortable) != 0;
    symbol.easy_to_borrow = (recorded.flags & kSessionEasyToBorrow) != 0;
    symbol.fractionable = (recorded.flags & kSessionFractionable) != 0;
    symbol.marginable = (recorded.flags & kSessionMarginable) != 0;
    symbol.previous_close = recorded.previous_close;
    if (symbol.quote != "USD") {
      throw Error(ExitCode::kConfig, "session symbol \"" + recorded.symbol +
                                         "\": the simulated account holds USD; convert a session "
                                         "of pairs quoted in USD");
    }
    symbols.push_back(std::move(symbol));
  }
  return symbols;
}

VenueServer::VenueServer(const Session& session, const ServerConfig& config)
    : session_(session),
      config_(config),
      symbols_(venue_symbols(session)),
      account_(config.state_dir, new_account(config), symbols_),
      timeline_(start_ns(session, config), last_send_ns(session, config.repeat), config.speed),
      venue_(symbols_, venue_options(config, account_.terms(), timeline_, symbols_),
             IdSource(account_.terms().seed)),
      player_(session, timeline_, venue_, config.repeat),
      session_time_(timeline_, player_),
      market_(venue_, config_.credentials, timeline_, hub_options(config, session, new_york_)),
      trading_(venue_, config_.credentials),
      api_(venue_, account_.terms().identity, timeline_, player_, new_york_),
      data_(session, timeline_, player_, market_, config.basic_plan),
      rate_limit_(config.rate_limit_per_minute),
      data_limit_(config.rate_limit_per_minute),
      upgrade_limit_(config.upgrades_per_minute),
      faults_(account_.terms().seed),
      rest_faults_(faults_, venue_),
      loop_(venue_clock(config.clock_skew_ns)) {
  if (auto wrong = faults_.set(config_.fault, now())) {
    throw Error(ExitCode::kUsage, "--fault: " + *wrong);
  }
  venue_.set_session_time(session_time_);
  api_.on_configuration([this](bool suspended) { account_.append_configuration(suspended); });
  venue_.set_faults(faults_);
  venue_.set_listener(
      [this](const OrderEvent& event) {
        account_.append(event, venue_.ids().issued());
        trading_.on_order_event(event);  // leaves with the next turn of the loop
      },
      [this] { account_.commit(); });
  if (account_.continued()) {
    venue_.restore(account_.take_saved());
    log_info("account {} continued: {} orders, {} open", account_.terms().identity.number,
             venue_.orders().size(), venue_.open_orders());
  }
  net::ServerOptions options;
  options.port = config.port;
  options.body_limit_bytes = kBodyLimit;
  options.ws_max_message_bytes = kMessageLimit;
  options.ws_queue_bytes = kSocketQueueBytes;
  options.ws_deflate = true;
  http_.emplace(
      loop_, options,
      [this](const net::ServerRequest& request, const net::Responder& responder) {
        on_request(request, responder);
      },
      routes());
  write_file_atomically(config_.state_dir + "/ports.json", ports_json() + "\n");
}

VenueServer::~VenueServer() = default;

// The hubs see a session whose messages may go wrong.
net::WsServerSession& VenueServer::faulty(net::WsServerSession& session, FaultSite site) {
  auto& slot = faulty_[session.id()];
  if (!slot) {
    slot = std::make_unique<FaultySession>(session, faults_, site, now());
  }
  return *slot;
}

std::vector<net::WsRoute> VenueServer::routes() {
  net::WsRoute market;
  market.on_upgrade = [this](const net::ServerRequest&) { return refuse_upgrade(); };
  market.on_open = [this](net::WsServerSession& s) {
    market_.opened(faulty(s, FaultSite::kMarket), now());
  };
  market.on_message = [this](net::WsServerSession& s, std::string_view payload, bool) {
    market_.message(faulty(s, FaultSite::kMarket), payload, now());
  };
  market.on_closed = [this](net::WsServerSession& s, const net::WsClosed& how) {
    market_.closed(faulty(s, FaultSite::kMarket), how, now());
    faulty_.erase(s.id());
  };
  std::vector<net::WsRoute> routes;
  for (const Feed feed : kFeeds) {
    market.path = path_of(feed);
    routes.push_back(market);
  }
  net::WsRoute trading;
  trading.path = TradingHub::kPath;
  trading.on_open = [this](net::WsServerSession& s) {
    trading_.opened(faulty(s, FaultSite::kTrading));
  };
  trading.on_message = [this](net::WsServerSession& s, std::string_view payload, bool) {
    trading_.message(faulty(s, FaultSite::kTrading), payload);
  };
  trading.on_closed = [this](net::WsServerSession& s, const net::WsClosed&) {
    trading_.closed(faulty(s, FaultSite::kTrading));
    faulty_.erase(s.id());
  };
  routes.push_back(std::move(trading));
  return routes;
}

// Too many upgrades in a minute get 429 in place of 101.
std::optional<net::UpgradeRefusal> VenueServer::refuse_upgrade() {
  if (config_.upgrades_per_minute == 0 || upgrade_limit_.try_take(now())) {
    return std::nullopt;
  }
  return net::UpgradeRefusal{429, R"({"message":"too many requests."})"};
}

void VenueServer::run(const std::atomic<bool>& stop) {
  // relaxed: a flag from a signal handler of this thread; nothing is published with it.
  while (!stop.load(std::memory_order_relaxed)) {
    turn(kStopCheckMs);
  }
  write_file_atomically(config_.state_dir + "/ledger.json", encode_ledger(venue_) + "\n");
}

void VenueServer::turn(int max_wait_ms) {
  const WallNanos at = now();
  if (config_.start_at_once || market_.was_subscribed()) {
    start_session(at);
  }
  if (timeline_.paced()) {
    catch_up(at);
  } else {
    if (!market_.congested()) {
      player_.play(at, kPlayAtMax, market_);
    }
    venue_.run_until(at);
  }
  if (timeline_.started() && player_.ended()) {
    end_session(at);
  }
  market_.tick(at);
  market_.flush();
  for (auto& [id, session] : faulty_) {
    session->pump(at);
  }
  wait(at, max_wait_ms);
  if (failure_) {
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void VenueServer::start_session(WallNanos at) {
  if (!timeline_.started()) {
    timeline_.start(at);
    log_info("session starts: {} records, {} symbols", player_.total(), symbols_.size());
  }
}

void VenueServer::catch_up(WallNanos at) {
  while (player_.play(at, kPlayAtOnce, market_) == kPlayAtOnce) {
  }
  venue_.run_until(at);
}

void VenueServer::end_session(WallNanos at) {
  if (!ended_at_) {
    ended_at_ = at;
    next_repeat_ = WallNanos{at.ns + kRepeatNs};
    if (venue_.post_fees(at) > 0) {
      account_.append_fees(at);
    }
    market_.finish();
    log_info("session ended: {} records played", player_.played());
  } else if (at >= next_repeat_) {
    // Positions are still to be closed: quotes must not grow old meanwhile.
    market_.repeat_quotes(at);
    next_repeat_.ns += kRepeatNs;
  }
}

void VenueServer::wait(WallNanos at, int max_wait_ms) {
  std::int64_t until = at.ns + std::int64_t{max_wait_ms} * kNanosPerMilli;
  for (const std::optional<WallNanos> due :
       {player_.next_due(), venue_.next_due(), market_.next_due()}) {
    until = due ? std::min(until, due->ns) : until;
  }
  for (const auto& [id, session] : faulty_) {
    until = std::min(until, session->next_due().value_or(WallNanos{until}).ns);
  }
  until = ended_at_ ? std::min(until, next_repeat_.ns) : until;
  const bool flat_out =
      !timeline_.paced() && timeline_.started() && !player_.ended() && !market_.congested();
  const std::int64_t delay = until - now().ns;
  if (flat_out || delay <= 0) {
    loop_.poll_once();
    return;
  }
  const net::TimerId timer = loop_.after(delay, [] {});
  loop_.service(max_wait_ms);
  loop_.cancel(timer);
}

// Called by the socket library, a C program: an exception must not pass through it.
void VenueServer::on_request(const net::ServerRequest& request, const net::Responder& responder) {
  try {
    serve(request, responder);
  } catch (...) {
    failure_ = std::current_exception();  // turn() throws it: the account cannot go on
    net::Responder cut = responder;
    static_cast<void>(cut.cut());
  }
}

void VenueServer::serve(const net::ServerRequest& request, const net::Responder& responder) {
  if (request.path.starts_with("/sim/")) {
    on_simulator_request(request, responder);
    return;
  }
  ++requests_;
  const WallNanos at = now();
  if (auto error = refuse_credentials(request)) {
    answer(responder, {.answer = {error->status, std::move(error->body), false}}, nullptr);
    return;
  }
  const bool data = DataRest::owns(request.path);
  RateLimit& budget = data ? data_limit_ : rate_limit_;
  if (!budget.try_take(at)) {
    ++rate_limited_;
    ApiError error = rate_limited();
    RestOutcome refusal{.answer = {error.status, std::move(error.body), false}};
    if (config_.tell_retry_after) {
      refusal.retry_after_s =
          static_cast<std::uint32_t>(budget.reset_s() - at.ns / kNanosPerSecond);
    }
    answer(responder, std::move(refusal), &budget);
    return;
  }
  if (data && config_.history_ns > 0) {
    start_session(at);  // there is a past to ask for, and it needs a moment
  }
  if (timeline_.paced()) {
    catch_up(at);
  }
  const ApiRequest asked{request.method, request.path, request.query, request.body};
  RestOutcome outcome = rest_faults_.serve(
      asked, at, [&] { return data ? data_.handle(asked, at) : api_.handle(asked, at); });
  net::Responder broken = responder;
  switch (outcome.how) {
    case RestOutcome::How::kAnswer:
      answer(responder, std::move(outcome), &budget);
      break;
    case RestOutcome::How::kCut:
      static_cast<void>(broken.cut());
      break;
    case RestOutcome::How::kHalf:
      static_cast<void>(broken.raw_then_close(half_of(outcome.answer)));
      break;
    case RestOutcome::How::kNever:
      break;
  }
}

// Key headers as the SDKs send them, or HTTP Basic. Who brings no credentials at all is answered by
// the proxy in front of the venue, in HTML.
std::optional<ApiError> VenueServer::refuse_credentials(const net::ServerRequest& request) const {
  const std::string_view key = request.header("APCA-API-KEY-ID");
  const std::string_view authorization = request.header("Authorization");
  if (!key.empty()) {
    const bool match = config_.credentials.match(key, request.header("APCA-API-SECRET-KEY"));
    return match ? std::nullopt : std::optional(unauthorized());
  }
  if (!authorization.empty()) {
    const bool match = config_.credentials.match_basic(authorization);
    return match ? std::nullopt
                 : std::optional(api_error(401, kCodeUnauthorized, "request is not authorized"));
  }
  return ApiError{401, std::string(kProxyUnauthorized)};
}

// `budget`: whose headers the answer carries; null for none.
void VenueServer::answer(net::Responder responder, RestOutcome outcome, const RateLimit* budget) {
  struct Ready {
    ApiAnswer result;
    std::string request_id;
    std::array<std::string, 3> budget;
    std::string retry_after;
    bool limited;
  };
  // The ids of answers are not the account's: they do not come from its seed.
  auto ready = std::make_shared<Ready>(Ready{
      std::move(outcome.answer), to_string(derived_id(account_.terms().seed ^ 1, requests_)),
      told_budget(budget), outcome.retry_after_s == 0 ? "" : std::to_string(outcome.retry_after_s),
      budget != nullptr});
  const auto send = [ready, responder]() mutable {
    const std::array<net::HeaderView, 5> headers{{{"X-Request-ID", ready->request_id},
                                                  {"X-RateLimit-Limit", ready->budget[0]},
                                                  {"X-RateLimit-Remaining", ready->budget[1]},
                                                  {"X-RateLimit-Reset", ready->budget[2]},
                                                  {"Retry-After", ready->retry_after}}};
    const std::size_t limited_count = ready->retry_after.empty() ? 4 : 5;
    const std::size_t count = ready->limited ? limited_count : 1;
    // False only when the client has gone: its order, if any, lives on.
    static_cast<void>(responder.answer(
        {.status = ready->result.status,
         .body = ready->result.body,
         .content_type =
             ready->result.body.starts_with('<') ? "text/html" : "application/json; charset=UTF-8",
         .headers = std::span<const net::HeaderView>(headers.data(), count)}));
  };
  const std::int64_t latency = timeline_.scaled(config_.answer_latency_ns) + outcome.delay_ns;
  if (latency > 0) {
    loop_.after(latency, send);
  } else {
    auto at_once = send;
    at_once();
  }
}

void VenueServer::on_simulator_request(const net::ServerRequest& request,
                                       net::Responder responder) {
  ApiAnswer result;
  if (request.method == "GET" && request.path == "/sim/status") {
    result.body = status_json();
  } else if (request.method == "GET" && request.path == "/sim/ledger") {
    result.body = encode_ledger(venue_);
  } else if (request.method == "POST" && request.path == "/sim/fault") {
    const auto json = nlohmann::json::parse(request.body, nullptr, false);
    const auto fault = json.is_object() ? json.find("fault") : json.end();
    std::optional<std::string> wrong = R"(a JSON object {"fault":"SCRIPT"} is needed)";
    if (json.is_object() && fault != json.end() && fault->is_string()) {
      wrong = faults_.set(fault->get_ref<const std::string&>(), now());
    }
    result.status = wrong ? 422 : 200;
    result.body = wrong ? nlohmann::json{{"message", *wrong}}.dump() : "{}";
  } else {
    result.status = 404;
    result.body = R"({"message":"known are GET status, GET ledger, POST fault"})";
  }
  static_cast<void>(responder.answer({.status = result.status, .body = result.body}));
}

std::string VenueServer::ports_json() const {
  const std::string address = "127.0.0.1:" + std::to_string(port());
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("port").integer(port());
  json.key("rest").text("http://" + address);
  json.key("data_stream").text("ws://" + address + std::string(MarketHub::kPath));
  json.key("trading_stream").text("ws://" + address + std::string(TradingHub::kPath));
  json.key("pid").integer(::getpid());
  json.end_object();
  return out;
}

std::string VenueServer::status_json() const {
  const bool started = timeline_.started();
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("phase").text(!started ? "waiting" : (player_.ended() ? "ended" : "playing"));
  json.key("events_sent").integer(static_cast<std::int64_t>(player_.played()));
  json.key("events_total").integer(static_cast<std::int64_t>(player_.total()));
  json.key("records_by_kind").begin_object();
  const auto& kinds = player_.by_kind();
  json.key("quote").integer(static_cast<std::int64_t>(kinds[1]));
  json.key("trade").integer(static_cast<std::int64_t>(kinds[2]));
  json.key("depth").integer(static_cast<std::int64_t>(kinds[3]));
  json.key("status").integer(static_cast<std::int64_t>(kinds[4]));
  json.end_object();
  json.key("t0_ns").integer(timeline_.t0().ns);
  json.key("first_send_ns").integer(timeline_.first_send_ns());
  json.key("speed");
  if (timeline_.paced()) {
    json.decimal_text(timeline_.speed().raw);
  } else {
    json.text("max");
  }
  const WallNanos planned_end =
      started && timeline_.paced() ? timeline_.session_end() : WallNanos{0};
  json.key("session_end_wall_ns").integer(ended_at_.value_or(planned_end).ns);
  json.key("open_orders").integer(static_cast<std::int64_t>(venue_.open_orders()));
  json.key("orders").integer(static_cast<std::int64_t>(venue_.orders().size()));
  json.key("executions").integer(static_cast<std::int64_t>(venue_.executions().size()));
  json.key("account_id").uuid(account_.terms().identity.id);
  json.key("market_sessions").integer(static_cast<std::int64_t>(market_.sessions()));
  json.key("market_messages").integer(static_cast<std::int64_t>(market_.counters().messages));
  json.key("market_frames").integer(static_cast<std::int64_t>(market_.counters().frames));
  json.key("slow_clients").integer(static_cast<std::int64_t>(market_.counters().slow_clients));
  json.key("mute_clients").integer(static_cast<std::int64_t>(market_.counters().mute_clients));
  json.key("trading_sessions").integer(static_cast<std::int64_t>(trading_.sessions()));
  json.key("order_events_sent").integer(static_cast<std::int64_t>(trading_.events_sent()));
  json.key("requests").integer(static_cast<std::int64_t>(requests_));
  json.key("rate_limited").integer(static_cast<std::int64_t>(rate_limited_));
  json.key("faults").begin_array();
  for (const Faults::Rule& rule : faults_.rules()) {
    json.begin_object();
    json.key("rule").text(rule.text);
    json.key("seen").integer(static_cast<std::int64_t>(rule.seen));
    json.key("struck").integer(static_cast<std::int64_t>(rule.struck));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace sluice::sim
