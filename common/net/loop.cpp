// loop.cpp — see loop.hpp. The one place where the libwebsockets context lives.
#include "common/net/loop.hpp"

#include <libwebsockets.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <string_view>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/net/raw_socket.hpp"
#include "common/net/timer_heap.hpp"

namespace sluice::net {
namespace {

constexpr int kMaxWaitMs = 60'000;

// noexcept: an exception must not unwind through the C library between it and its handler.
int raw_callback(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in,
                 std::size_t size) noexcept {
  return on_raw_socket_event(wsi, static_cast<int>(reason), in, size);
}

int listen_callback(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* /*in*/,
                    std::size_t /*size*/) noexcept {
  return on_listener_event(wsi, static_cast<int>(reason));
}

// The array must outlive every context.
const lws_protocols kProtocols[] = {
    {kRawProtocol, raw_callback, 0, kReadChunkBytes, 0, nullptr, kWriteChunkBytes},
    {kListenProtocol, listen_callback, 0, 0, 0, nullptr, 0},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0},
};

// libwebsockets talks about sockets, never about what flows through raw ones: no header value can
// come this way.
void forward_log(int level, const char* line) {
  std::string_view text(line);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.remove_suffix(1);
  if ((level & LLL_ERR) != 0) {
    log_warn("libwebsockets: {}", text);
  } else {
    log_debug("libwebsockets: {}", text);
  }
}

}  // namespace

struct Loop::Impl {
  // First member: libwebsockets hands it back by address, see wait_over().
  lws_sorted_usec_list_t wait_timer{};
  lws_context* context{nullptr};
  TimerHeap timers;
  bool turning{false};

  explicit Impl(std::size_t max_timers) : timers(max_timers) {}

  // Ending the wait is all it does. It may come before the wait begins, when this thread was held
  // up in between; libwebsockets would then wait for half a minute. So it sets itself again: one of
  // them is always ahead of the wait.
  static void wait_over(lws_sorted_usec_list_t* timer) {
    Impl& self = *reinterpret_cast<Impl*>(timer);
    lws_sul_schedule(self.context, 0, &self.wait_timer, &Impl::wait_over, 1'000);
  }
};

Loop::Loop(const ClockCalibration& clock, const LoopOptions& options)
    : clock_(clock), impl_(std::make_unique<Impl>(options.max_timers)) {
  static std::once_flag once;
  std::call_once(once, [] { lws_set_log_level(LLL_ERR | LLL_WARN, forward_log); });

  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = kProtocols;
  info.pt_serv_buf_size = kReadChunkBytes;
  info.fd_limit_per_thread = static_cast<unsigned>(options.max_sockets);
  impl_->context = lws_create_context(&info);
  if (impl_->context == nullptr) {
    throw Error(ExitCode::kResource,
                "event loop: libwebsockets could not start; check the limits of open files and "
                "memory (ulimit -n, ulimit -v)");
  }
}

Loop::~Loop() {
  lws_context_destroy(impl_->context);
}

void Loop::poll_once() {
  SLUICE_ASSERT(!impl_->turning, "a callback of the loop must not turn the loop");
  impl_->turning = true;
  impl_->timers.run_due(now().ns);
  lws_service(impl_->context, -1);  // a negative time-out: poll without waiting
  impl_->turning = false;
}

void Loop::service(int timeout_ms) {
  SLUICE_ASSERT(!impl_->turning, "a callback of the loop must not turn the loop");
  impl_->turning = true;
  // What a timer did is news for the caller: then there is nothing to wait for.
  const bool ran = impl_->timers.run_due(now().ns) > 0;
  const std::int64_t limit_us =
      ran ? 0 : std::int64_t{std::clamp(timeout_ms, 0, kMaxWaitMs)} * 1'000;
  std::int64_t wait_us = limit_us;
  if (!impl_->timers.empty()) {
    wait_us =
        std::clamp((impl_->timers.next_due_ns() - now().ns) / 1'000, std::int64_t{0}, limit_us);
  }
  // lws_service() ignores its own time-out in 4.1; one scheduled event bounds the wait instead. It
  // rounds down to milliseconds: the last one before a timer is polled through.
  if (wait_us < 1'000) {
    lws_service(impl_->context, -1);
  } else {
    lws_sul_schedule(impl_->context, 0, &impl_->wait_timer, &Impl::wait_over, wait_us);
    lws_service(impl_->context, 0);
    lws_sul_schedule(impl_->context, 0, &impl_->wait_timer, &Impl::wait_over,
                     LWS_SET_TIMER_USEC_CANCEL);
  }
  impl_->timers.run_due(now().ns);
  impl_->turning = false;
}

void Loop::wake() noexcept {
  lws_cancel_service(impl_->context);
}

TimerId Loop::after(std::int64_t delay_ns, std::function<void()> fn) {
  SLUICE_ASSERT(fn != nullptr, "a timer needs a function");
  const std::int64_t now_ns = now().ns;
  const std::int64_t longest = std::numeric_limits<std::int64_t>::max() - now_ns;
  return impl_->timers.add(now_ns + std::clamp(delay_ns, std::int64_t{0}, longest), std::move(fn));
}

void Loop::cancel(TimerId id) noexcept {
  impl_->timers.remove(id);
}

lws_context* Loop::context() const noexcept {
  return impl_->context;
}

}  // namespace sluice::net
