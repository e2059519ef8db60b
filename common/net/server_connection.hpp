// server_connection.hpp — one accepted connection of an HttpServer: HTTP first, perhaps a WebSocket
// later.
//
// For this folder only; runs on the Loop's thread. Invariants:
//  1. One request at a time: the next one is parsed when the last answer has left.
//  2. The object is destroyed by a timer of the loop, never inside one of its own events.
//  3. on_closed of a WebSocket runs exactly once for each on_open.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/net/byte_queue.hpp"
#include "common/net/http_server.hpp"
#include "common/net/raw_socket.hpp"
#include "common/net/ws_deflate.hpp"
#include "common/net/ws_frame.hpp"

namespace sluice::net {

class ServerConnection;

// What the connections of one server share.
struct ServerShared {
  Loop& loop;
  ServerOptions options;
  HttpServer::Handler handler;
  std::vector<WsRoute> routes;
  ServerCounters counters{};
  std::unordered_map<std::uint64_t, std::unique_ptr<ServerConnection>> connections{};
  // Makes the Responder for request `number` of connection `id`.
  std::function<Responder(std::uint64_t id, std::uint64_t number)> make_responder{};
  std::vector<std::uint64_t> ended{};  // connections to destroy with the loop's next turn
  TimerId reaper{kNoTimer};

  void destroy_later(std::uint64_t id);
  void reap();
};

class ServerConnection final : public WsServerSession, private RawSocket::Events {
 public:
  ServerConnection(ServerShared& shared, std::uint64_t id);
  ~ServerConnection() override;

  [[nodiscard]] bool adopt(int fd) { return socket_.adopt(fd); }

  // The Responder's side. `number` names the request; false = answered already or gone.
  [[nodiscard]] bool waits_for(std::uint64_t number) const noexcept {
    return phase_ == Phase::kHandling && request_number_ == number;
  }
  bool answer(const ServerAnswer& answer, bool then_close);
  bool raw_then_close(std::string_view bytes);

  // For the server's sweep: waiting for (the rest of) a request since then; {0} = not waiting.
  [[nodiscard]] MonoNanos idle_since() const noexcept {
    return phase_ == Phase::kReading ? last_active_at_ : MonoNanos{};
  }
  // Runs on_closed if there is a WebSocket that is not closed yet; the server calls it right
  // before the object goes.
  void say_closed();

  // WsServerSession
  [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept override;
  [[nodiscard]] bool send(std::string_view payload, bool binary) override;
  [[nodiscard]] bool send_fragmented(std::string_view payload, bool binary,
                                     std::size_t fragment_bytes) override;
  [[nodiscard]] bool ping() override;
  [[nodiscard]] MonoNanos heard_at() const noexcept override { return last_active_at_; }
  bool send_raw(std::string_view bytes) override;
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return out_.size(); }
  void close(std::uint16_t code, std::string_view reason) override;
  void end_after_sending() override;
  void freeze() override { deaf_ = true; }
  void cut() override;

 private:
  enum class Phase : std::uint8_t {
    kReading,    // waits for a request
    kHandling,   // the handler has it
    kFlushing,   // the last bytes leave, then FIN
    kDraining,   // FIN is sent; input is dropped until the peer ends too
    kOpen,       // WebSocket
    kWsClosing,  // our close frame is queued or sent
    kGone,
  };
  struct Parser;

  void on_connected() override {}  // accepted sockets are connected
  void on_bytes(std::string_view bytes, MonoNanos at) override;
  void on_writable() override;
  void on_closed(Ending ending) override;

  void parse(MonoNanos at);
  void refuse_malformed(int status);
  void handle_request(MonoNanos at);
  [[nodiscard]] bool try_upgrade(const ServerRequest& request);
  void accept_upgrade(const ServerRequest& request, WsRoute& route, std::string_view key);
  void read_frames(std::string_view bytes, MonoNanos at);
  [[nodiscard]] bool on_message();
  void on_close_frame();
  void fail_ws(WsCloseReason reason, std::uint16_t code, const char* text);
  void queue_close_frame(std::uint16_t code, std::string_view reason);
  [[nodiscard]] bool has_room(std::size_t payload_bytes) noexcept;
  void put_frame(WsOpcode opcode, bool final, std::string_view payload, bool compressed = false);
  [[nodiscard]] bool compress(std::string_view& payload);
  void finish_sending();
  void gone();

  ServerShared& shared_;
  const std::uint64_t id_;
  RawSocket socket_;
  Phase phase_{Phase::kReading};
  std::unique_ptr<Parser> parser_;
  std::string in_{};  // bytes of requests not parsed yet
  ByteQueue out_{};
  std::uint64_t request_number_{0};
  bool keep_alive_{true};
  bool parser_used_{true};  // the next request needs a fresh parser
  MonoNanos last_active_at_{};
  TimerId timer_{kNoTimer};  // bounds kDraining and kWsClosing

  WsRoute* route_{nullptr};
  bool ws_open_{false};  // on_open ran, on_closed did not
  bool deaf_{false};     // what the peer sends is dropped: it broke RFC 6455, or freeze()
  bool owes_drained_{false};
  std::string path_{};
  std::vector<Header> headers_{};
  std::optional<WsReader> reader_{};
  std::optional<WsDeflater> deflater_{};  // both or none: permessage-deflate was negotiated
  std::optional<WsInflater> inflater_{};
  WsClosed ending_{.reason = WsCloseReason::kByPeer, .text = "connection lost"};
};

}  // namespace sluice::net
