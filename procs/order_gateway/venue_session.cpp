#include "procs/order_gateway/venue_session.hpp"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "common/base/log.hpp"
#include "procs/order_gateway/conversions.hpp"

namespace sluice {
namespace {

namespace alpaca = venue::alpaca;

constexpr std::uint32_t kTroubleCode = 10;

net::PoolOptions pool_options(const GatewayConfig& gateway, const Credentials& credentials) {
  net::PoolOptions options;
  options.connections = gateway.connections;
  options.cancel_connections = gateway.cancel_connections;
  options.answer_timeout_ns = gateway.answer_timeout_ns;
  options.headers = {{"APCA-API-KEY-ID", credentials.key},
                     {"APCA-API-SECRET-KEY", credentials.secret}};
  return options;
}

}  // namespace

VenueSession::VenueSession(StageShell& shell, const InstrumentTable& instruments,
                           Credentials credentials, HandOver& hand_over, const KillSwitch& kill)
    : shell_(shell),
      venue_(shell.config().venues.front()),
      instruments_(instruments),
      credentials_(std::move(credentials)),
      hand_over_(hand_over),
      kill_(kill),
      loop_(shell.instance().clock()),
      symbols_(instruments),
      decoder_(symbols_) {
  const GatewayConfig& gateway = shell.config().gateway;
  const auto event = [this](const VenueEvent& e) { tell(e); };
  const auto give_up = [this](ExitCode code, const std::string& why) {
    hand_over_.give_up(code, why);
  };
  const auto told = [this](const std::string& what) { trouble(what); };
  pool_ = std::make_unique<net::HttpPool>(
      loop_, net::Endpoint{.host = venue_.rest_host, .port = venue_.rest_port, .tls = false},
      pool_options(gateway, credentials_));
  stream_ = std::make_unique<OrderStream>(loop_, venue_, symbols_, credentials_,
                                          gateway.venue_retry_attempts,
                                          OrderStream::Callbacks{event, give_up, told});
  reader_ = std::make_unique<VenueReader>(
      *pool_, decoder_, venue_, gateway.account_poll_ns,
      VenueReader::Callbacks{event, give_up, told, [this] {
                               reads_.fetch_add(1, std::memory_order_relaxed);
                               requests.fetch_add(1, std::memory_order_relaxed);
                             }});
}

void VenueSession::run() noexcept {
  Idle idle(shell_.config().topology.idle);
  try {
    // relaxed: the hot thread joins us; nothing is handed over through this flag.
    while (!hand_over_.stop.load(std::memory_order_relaxed)) {
      const MonoNanos now = shell_.now();
      loop_.poll_once();
      const std::size_t work = turn();
      if (work == 0 && idle.may_block()) {
        loop_.service(1);  // ended early by a socket or by the hot thread's wake()
      } else {
        idle(work, now);
      }
    }
  } catch (const std::exception& error) {
    // Nothing here throws in normal work: an exception is a bug or no memory, and the hot thread
    // must not go on believing that its requests are carried out.
    hand_over_.give_up(ExitCode::kBug, std::string("network thread: ") + error.what());
  }
}

std::size_t VenueSession::turn() {
  watch_kill();
  std::size_t work = 0;
  NetRequest request;
  while (work < 32 && hand_over_.next_request(request)) {
    take(request);
    ++work;
  }
  stream_->poll(loop_.now());
  // The first audit cancels what it finds; the events of those cancels must find the stream
  // listening.
  if (stream_->connects() != 0)
    reader_->poll(loop_.now(), wall_now());
  watch_connections();
  return work;
}

void VenueSession::take(const NetRequest& request) {
  switch (request.kind) {
    case NetRequestKind::kSubmit:
      submit(request);
      return;
    case NetRequestKind::kReplace:
      replace(request);
      return;
    case NetRequestKind::kCancel:
      cancel(request);
      return;
    case NetRequestKind::kLookup:
    case NetRequestKind::kLookupForeign:
      look_up(request);
      return;
    case NetRequestKind::kAudit:
      reader_->want_audit();
      return;
    case NetRequestKind::kNone:
      return;
  }
}

bool VenueSession::may_send(const NetRequest& request) const noexcept {
  return !kill_.tripped() && hand_over_.tripped_episode() == 0 &&
         loop_.now() <= request.deadline_ns;
}

void VenueSession::submit(const NetRequest& request) {
  std::array<char, alpaca::kRequestBytes> body;
  const std::size_t size =
      alpaca::encode_order({.symbol = instruments_[request.instrument].symbol(),
                            .qty = request.qty,
                            .side = request.side,
                            .type = request.type,
                            .tif = request.tif,
                            .limit = request.limit,
                            .stop = {},
                            .client_order_id = request.client_order_id.view(),
                            .extended_hours = false},
                           body);
  send_order(request, "POST", alpaca::kOrdersTarget, {body.data(), size});
}

void VenueSession::replace(const NetRequest& request) {
  std::array<char, alpaca::kRequestBytes> target;
  std::array<char, alpaca::kRequestBytes> body;
  const std::size_t target_size = alpaca::encode_order_target(request.venue_order_id, target);
  const std::size_t size =
      target_size == 0 ? 0
                       : alpaca::encode_replace({.qty = request.qty,
                                                 .limit = request.limit,
                                                 .client_order_id = request.client_order_id.view()},
                                                body);
  send_order(request, "PATCH", {target.data(), target_size}, {body.data(), size});
}

void VenueSession::send_order(const NetRequest& request, const char* method,
                              std::string_view target, std::string_view body) {
  PostResult refused;
  refused.ref = request.ref;
  refused.outcome = RequestOutcome::kNotSent;
  refused.hand_over_ns = request.hand_over_ns;
  if (body.empty()) {
    refused.not_sent = Reason::kMalformed;
    tell(refused);
    return;
  }
  const bool taken = pool_->try_send(
      net::Lane::kNormal,
      {.method = method,
       .target = target,
       .body = body,
       .headers = {},
       .deadline = request.deadline_ns},
      [this, request](const net::HttpAnswer& answer) {
        --posts_outstanding_;
        tell(post_result(request, answer));
      },
      [this, request] { return may_send(request); });
  if (!taken) {
    refused.not_sent = Reason::kNoConnection;
    tell(refused);
    return;
  }
  ++posts_outstanding_;
  requests.fetch_add(1, std::memory_order_relaxed);
}

PostResult VenueSession::post_result(const NetRequest& request, const net::HttpAnswer& answer) {
  PostResult result;
  result.ref = request.ref;
  result.hand_over_ns = request.hand_over_ns;
  result.wire_ns = answer.wire_ns;
  result.answer_ns = answer.answer_ns;
  result.http_status = static_cast<std::uint16_t>(answer.status);
  if (answer.outcome == net::Outcome::kNotSent) {
    result.outcome = RequestOutcome::kNotSent;
    result.not_sent = kill_.tripped() || hand_over_.tripped_episode() != 0 ? Reason::kKilled
                      : loop_.now() > request.deadline_ns                  ? Reason::kExpired
                                                                           : Reason::kNoConnection;
    return result;
  }
  result.outcome = outcome_of(alpaca::RequestKind::kPost, answer, result.venue_code);
  if (answer.outcome == net::Outcome::kUnknown) {
    result.closed_ns = loop_.now();  // the pool closed the connection hard before it told us
    return result;
  }
  if (result.outcome == RequestOutcome::kAccepted) {
    alpaca::OrderSnapshot order;
    if (decoder_.order(answer.body, order) == venue::DecodeStatus::kOk) {
      result.order = to_core(order);
    } else {
      trouble(fmt::format("an accepted order's answer could not be read (field '{}')",
                          decoder_.last_fault().field));
      result.outcome = RequestOutcome::kUnknown;
    }
  }
  return result;
}

RequestOutcome VenueSession::outcome_of(alpaca::RequestKind kind, const net::HttpAnswer& answer,
                                        std::int32_t& code) {
  if (answer.outcome == net::Outcome::kNotSent)
    return RequestOutcome::kNotSent;
  if (answer.outcome == net::Outcome::kUnknown) {
    trouble(fmt::format("no answer from the venue: {}", answer.why));
    return RequestOutcome::kUnknown;
  }
  alpaca::VenueError error;
  const bool good = answer.status >= 200 && answer.status < 300;
  const bool told = !good && decoder_.error(answer.body, error) == venue::DecodeStatus::kOk;
  code = error.code;
  if (!good) {
    venue_errors.fetch_add(1, std::memory_order_relaxed);
    trouble(fmt::format("the venue answered status {} code {} \"{}\"", answer.status, error.code,
                        error.message.view()));
  }
  switch (alpaca::classify(kind, answer.status, told ? &error : nullptr)) {
    case alpaca::Outcome::kOk:
      return RequestOutcome::kAccepted;
    case alpaca::Outcome::kRejected:
    case alpaca::Outcome::kNotCancelable:
      return RequestOutcome::kRefused;
    case alpaca::Outcome::kUnauthorised:
      return RequestOutcome::kUnauthorised;
    case alpaca::Outcome::kRateLimited:
      return RequestOutcome::kRateLimited;
    case alpaca::Outcome::kNotFound:
      return RequestOutcome::kNotFound;
    case alpaca::Outcome::kDuplicateClientId:
    case alpaca::Outcome::kUnknown:
      break;
  }
  return RequestOutcome::kUnknown;
}

void VenueSession::cancel(const NetRequest& request) {
  std::array<char, alpaca::kRequestBytes> target;
  const std::size_t size = alpaca::encode_order_target(request.venue_order_id, target);
  DeleteResult refused;
  refused.ref = request.ref;
  refused.outcome = RequestOutcome::kNotSent;
  const bool taken =
      size != 0 &&
      pool_->try_send(net::Lane::kCancel, {.method = "DELETE", .target = {target.data(), size}},
                      [this, ref = request.ref](const net::HttpAnswer& answer) {
                        DeleteResult result;
                        result.ref = ref;
                        result.outcome =
                            outcome_of(alpaca::RequestKind::kDelete, answer, result.venue_code);
                        result.http_status = static_cast<std::uint16_t>(answer.status);
                        result.wire_ns = answer.wire_ns;
                        result.answer_ns = answer.answer_ns;
                        tell(result);
                      });
  if (!taken) {
    tell(refused);
    return;
  }
  requests.fetch_add(1, std::memory_order_relaxed);
}

void VenueSession::look_up(const NetRequest& request) {
  std::array<char, alpaca::kRequestBytes> target;
  const std::size_t size =
      request.by == LookupBy::kClientOrderId
          ? alpaca::encode_client_order_id_target(request.client_order_id.view(), target)
          : alpaca::encode_order_target(request.venue_order_id, target);
  LookupResult base;
  base.ref = request.kind == NetRequestKind::kLookup ? request.ref : RowRef{};
  base.by = request.by;
  base.venue_order_id = request.venue_order_id;
  base.requested_ns = loop_.now();
  base.outcome = RequestOutcome::kNotSent;
  const bool taken =
      size != 0 &&
      pool_->try_send(net::Lane::kCancel, {.method = "GET", .target = {target.data(), size}},
                      [this, base](const net::HttpAnswer& answer) {
                        LookupResult result = base;
                        std::int32_t code = 0;
                        result.outcome = outcome_of(alpaca::RequestKind::kRead, answer, code);
                        result.answer_ns = answer.answer_ns;
                        alpaca::OrderSnapshot order;
                        if (result.outcome == RequestOutcome::kAccepted) {
                          if (decoder_.order(answer.body, order) == venue::DecodeStatus::kOk) {
                            result.order = to_core(order);
                          } else {
                            result.outcome = RequestOutcome::kUnknown;
                          }
                        }
                        tell(result);
                      });
  if (!taken) {
    tell(base);
    return;
  }
  requests.fetch_add(1, std::memory_order_relaxed);
}

// Runs between writes. From the episode's first sight on, may_send() says no; what had been written
// and is not answered is cut off, so that nothing of it can still leave the kernel.
void VenueSession::watch_kill() {
  const std::uint64_t episode = hand_over_.tripped_episode();
  if (episode == acknowledged_ || episode == 0) {
    acknowledged_ = episode;
    return;
  }
  if (posts_outstanding_ != 0)
    pool_->reset_all();
  acknowledged_ = episode;
  hand_over_.acknowledge(episode);
}

void VenueSession::watch_connections() {
  const net::PoolStatus status = pool_->status();
  hand_over_.connection_ready.store(status.normal_free != 0, std::memory_order_relaxed);
  stream_connects.store(stream_->connects(), std::memory_order_relaxed);
  reconnects.store(pool_->counters().connects, std::memory_order_relaxed);
  const std::uint32_t attempts = shell_.config().gateway.venue_retry_attempts;
  if (!reader_->ever_answered() && status.consecutive_failures >= attempts) {
    hand_over_.give_up(ExitCode::kVenueUnavailable,
                       fmt::format("{} connects to {}:{} failed ({}); is the venue up?",
                                   status.consecutive_failures, venue_.rest_host, venue_.rest_port,
                                   pool_->last_error()));
  }
}

// Waits for room rather than lose an event; meanwhile no socket is read and the venue is held back.
void VenueSession::tell(const VenueEvent& event) {
  while (!hand_over_.tell(event)) {
    if (hand_over_.stop.load(std::memory_order_relaxed))
      return;
    std::this_thread::yield();
  }
}

void VenueSession::trouble(const std::string& what) {
  shell_.page().error(kTroubleCode, what, loop_.now());
}

}  // namespace sluice
