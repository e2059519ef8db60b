// http_connection.cpp — see http_connection.hpp.
#include "common/net/http_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/log.hpp"

namespace sluice::net {
namespace http = boost::beast::http;

namespace {

constexpr int kMaxInformational = 16;  // 1xx before one answer

bool one_line(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

}  // namespace

// Feeds the bytes of one answer to Beast. Reused: only the parser inside is fresh for each message.
struct HttpConnection::Answer {
  enum class Status : std::uint8_t { kMore, kDone, kMalformed };

  std::size_t header_limit;
  std::size_t body_limit;
  std::string buffer{};  // bytes Beast has not taken yet
  std::optional<http::response_parser<http::string_body>> parser{};
  int informational{0};
  bool surplus{false};  // bytes behind the answer
  std::vector<HeaderView> headers{};

  void begin() {
    buffer.clear();
    informational = 0;
    surplus = false;
    fresh_parser();
  }

  void fresh_parser() {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(header_limit));
    parser->body_limit(body_limit);
    parser->eager(true);
  }

  Status feed(std::string_view bytes) {
    buffer.append(bytes);
    std::size_t used = 0;
    Status status = Status::kMore;
    while (used < buffer.size() && status == Status::kMore) {
      boost::system::error_code ec;
      const std::size_t taken =
          parser->put(boost::asio::const_buffer(buffer.data() + used, buffer.size() - used), ec);
      used += taken;
      if (ec == http::error::need_more)
        break;
      if (ec) {
        status = Status::kMalformed;
      } else if (parser->is_done()) {
        status = message_done();
      } else if (taken == 0) {
        break;
      }
    }
    surplus = used < buffer.size();
    buffer.erase(0, used);
    if (status == Status::kMore && buffer.size() > header_limit + kReadChunkBytes) {
      status = Status::kMalformed;  // e.g. an endless chunk extension
    }
    return status;
  }

  // A 1xx message is complete for Beast but not the answer.
  Status message_done() {
    const unsigned code = parser->get().result_int();
    if (code >= 200)
      return Status::kDone;
    if (code == 101 || ++informational > kMaxInformational)
      return Status::kMalformed;
    fresh_parser();
    return Status::kMore;
  }

  // A body without a length is complete when the peer finished sending.
  bool complete_at_end() {
    if (!parser->is_header_done() || parser->is_done())
      return false;
    boost::system::error_code ec;
    parser->put_eof(ec);
    return !ec && parser->is_done();
  }
};

HttpConnection::HttpConnection(PoolShared& shared, std::uint64_t seed)
    : shared_(shared),
      socket_(shared.loop, *this),
      backoff_(shared.options.reconnect, seed),
      answer_(std::make_unique<Answer>()) {
  answer_->header_limit = shared_.options.header_limit_bytes;
  answer_->body_limit = shared_.options.body_limit_bytes;
  request_.reserve(shared_.options.request_limit_bytes);
  set_timer(0, &HttpConnection::connect_now);
}

HttpConnection::~HttpConnection() {
  stop_timer();
}

void HttpConnection::set_timer(std::int64_t delay_ns, void (HttpConnection::*action)()) {
  stop_timer();
  timer_action_ = action;
  // One captured pointer fits into the function object itself: a request allocates nothing here.
  timer_ = shared_.loop.after(delay_ns, [this] {
    timer_ = kNoTimer;
    (this->*timer_action_)();
  });
}

void HttpConnection::stop_timer() noexcept {
  shared_.loop.cancel(std::exchange(timer_, kNoTimer));
}

// ---- connecting
// ----------------------------------------------------------------------------------

void HttpConnection::connect_now() {
  std::string error;
  phase_ = Phase::kConnecting;
  if (!socket_.connect(shared_.endpoint, shared_.options.tcp_user_timeout_ms, error)) {
    connection_failed(error);
    return;
  }
  set_timer(shared_.options.connect_timeout_ns, &HttpConnection::on_connect_timeout);
}

void HttpConnection::on_connect_timeout() {
  socket_.reset();
  connection_failed("connect " + shared_.endpoint.host + ":" +
                    std::to_string(shared_.endpoint.port) + ": timed out");
}

void HttpConnection::connection_failed(const std::string& why) {
  ++shared_.counters.connect_failures;
  shared_.last_error = why;
  wait_and_connect();
}

void HttpConnection::wait_and_connect() {
  const std::int64_t wait_ns = backoff_.next_wait_ns();
  if (backoff_.spent() || !shared_.options.reconnect.enabled) {
    stop_timer();
    phase_ = Phase::kGaveUp;
    log_error("http {}:{}: gave up after {} failures: {}", shared_.endpoint.host,
              shared_.endpoint.port, backoff_.failures(), shared_.last_error);
    return;
  }
  phase_ = Phase::kWaiting;
  set_timer(wait_ns, &HttpConnection::connect_now);
}

void HttpConnection::retry() {
  if (phase_ != Phase::kGaveUp)
    return;
  backoff_.succeeded();
  phase_ = Phase::kWaiting;
  set_timer(0, &HttpConnection::connect_now);
}

void HttpConnection::on_connected() {
  stop_timer();
  ++shared_.counters.connects;
  up_since_ = shared_.loop.now();
  phase_ = Phase::kFree;
}

// The connection is gone: a request on it gets its outcome, then the next attempt is planned. A
// venue that accepts and closes at once must meet the same growing waits as one that refuses.
void HttpConnection::lost(const char* why) {
  if (shared_.loop.now().ns - up_since_.ns >= shared_.options.reconnect.max_ns) {
    backoff_.succeeded();
  }
  shared_.last_error =
      "http " + shared_.endpoint.host + ":" + std::to_string(shared_.endpoint.port) + ": " + why;
  const Phase was = std::exchange(phase_, Phase::kEnding);
  if (was == Phase::kQueued)
    finish(Outcome::kNotSent, why);
  if (was == Phase::kWritten)
    finish(Outcome::kUnknown, why);
  wait_and_connect();
}

void HttpConnection::on_closed(Ending ending) {
  if (phase_ == Phase::kConnecting) {
    connection_failed("connect " + shared_.endpoint.host + ":" +
                      std::to_string(shared_.endpoint.port) + ": refused or unreachable");
    return;
  }
  if (phase_ == Phase::kWritten && ending == Ending::kOrderly && answer_->complete_at_end()) {
    deliver_answer(shared_.loop.now(), false);
    return;
  }
  lost(ending == Ending::kOrderly ? "the peer closed the connection"
                                  : "the connection was reset or timed out");
}

void HttpConnection::reset() {
  const Phase was = phase_;
  if (was == Phase::kWaiting || was == Phase::kGaveUp || was == Phase::kEnding)
    return;
  socket_.reset();
  phase_ = Phase::kEnding;
  ending_outcome_ = was == Phase::kWritten ? Outcome::kUnknown : Outcome::kNotSent;
  ending_why_ = "reset by us";
  set_timer(0, &HttpConnection::on_ending);
}

void HttpConnection::on_ending() {
  if (on_answer_)
    finish(ending_outcome_, ending_why_);
  backoff_.succeeded();  // our own doing
  wait_and_connect();
}

// ---- one request
// ---------------------------------------------------------------------------------

bool HttpConnection::start(const HttpRequest& request, AnswerFn on_answer, MayWriteFn may_write) {
  SLUICE_ASSERT(is_free(), "start() on a connection that is not free");
  if (!render(request))
    return false;
  on_answer_ = std::move(on_answer);
  may_write_ = std::move(may_write);
  deadline_ = request.deadline;
  wire_ns_ = {};
  phase_ = Phase::kQueued;
  set_timer(shared_.options.answer_timeout_ns, &HttpConnection::on_answer_timeout);
  socket_.request_write();
  return true;
}

bool HttpConnection::render(const HttpRequest& request) {
  const bool has_body = !request.body.empty();
  const bool length_needed =
      has_body || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  std::size_t size = request.method.size() + request.target.size() + request.body.size() +
                     shared_.constant_headers.size() + 128;  // 128: what this function adds
  bool clean = !request.method.empty() && !request.target.empty() && one_line(request.method) &&
               one_line(request.target) && request.target.find(' ') == std::string_view::npos;
  for (const HeaderView& header : request.headers) {
    size += header.name.size() + header.value.size() + 4;
    clean = clean && !header.name.empty() && one_line(header.name) && one_line(header.value);
  }
  if (!clean || size > shared_.options.request_limit_bytes)
    return false;

  request_.clear();
  request_.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  request_.append(shared_.constant_headers);
  for (const HeaderView& header : request.headers) {
    request_.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (has_body)
    request_.append("Content-Type: application/json\r\n");
  if (length_needed) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, request.body.size()).ptr;
    request_.append("Content-Length: ").append(digits, end).append("\r\n");
  }
  request_.append("\r\n").append(request.body);
  return true;
}

void HttpConnection::on_writable() {
  if (phase_ != Phase::kQueued)
    return;
  const char* refused = nullptr;
  if (deadline_.ns != 0 && shared_.loop.now() > deadline_)
    refused = "deadline passed";
  if (refused == nullptr && may_write_ && !may_write_())
    refused = "refused before the write";
  if (refused != nullptr) {
    stop_timer();
    phase_ = Phase::kFree;
    finish(Outcome::kNotSent, refused);
    return;
  }
  answer_->begin();
  phase_ = Phase::kWritten;
  ++shared_.counters.written;
  wire_ns_ = shared_.loop.now();
  if (!socket_.write(request_)) {
    socket_.reset();
    lost("the socket write failed");
  }
}

void HttpConnection::on_bytes(std::string_view bytes, MonoNanos at) {
  if (phase_ != Phase::kWritten) {
    ++shared_.counters.unsolicited_closes;
    socket_.reset();
    lost("bytes came with no request outstanding");
    return;
  }
  switch (answer_->feed(bytes)) {
    case Answer::Status::kMore:
      return;
    case Answer::Status::kMalformed:
      ++shared_.counters.malformed_answers;
      socket_.reset();
      lost("the answer is not HTTP/1.x or passes a limit");
      return;
    case Answer::Status::kDone:
      deliver_answer(at, answer_->parser->keep_alive());
      return;
  }
}

void HttpConnection::on_answer_timeout() {
  socket_.reset();
  lost("no answer in time");
}

void HttpConnection::deliver_answer(MonoNanos at, bool keep) {
  stop_timer();
  backoff_.succeeded();
  if (answer_->surplus) {
    ++shared_.counters.unsolicited_closes;
    keep = false;
  }
  if (!keep)
    socket_.reset();
  phase_ = keep ? Phase::kFree : Phase::kEnding;

  const auto& message = answer_->parser->get();
  answer_->headers.clear();
  for (const auto& field : message) {
    answer_->headers.push_back({view(field.name_string()), view(field.value())});
  }
  ++shared_.counters.answered;
  const AnswerFn on_answer = std::exchange(on_answer_, nullptr);
  may_write_ = nullptr;
  HttpAnswer answer;
  answer.outcome = Outcome::kAnswered;
  answer.status = static_cast<int>(message.result_int());
  answer.body = message.body();
  answer.headers = answer_->headers;
  answer.wire_ns = wire_ns_;
  answer.answer_ns = at;
  on_answer(answer);
  if (!keep)
    wait_and_connect();
}

// Runs the callback of a request that has no answer. It may start the next request of the pool.
void HttpConnection::finish(Outcome outcome, const char* why) {
  ++(outcome == Outcome::kNotSent ? shared_.counters.not_sent : shared_.counters.unknown);
  const AnswerFn on_answer = std::exchange(on_answer_, nullptr);
  may_write_ = nullptr;
  HttpAnswer answer;
  answer.outcome = outcome;
  answer.wire_ns = wire_ns_;
  answer.why = why;
  on_answer(answer);
}

}  // namespace sluice::net
