// A WebSocket session made of memory: keeps what a hub or a fault does to it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/net/http_server.hpp"

namespace sluice::sim::test {

class FakeSession final : public net::WsServerSession {
 public:
  explicit FakeSession(std::uint64_t id, std::string path = "/v1beta3/crypto/us")
      : id_(id), path_(std::move(path)) {}

  [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept override {
    const auto it = headers.find(std::string(name));
    return it == headers.end() ? std::string_view() : std::string_view(it->second);
  }
  [[nodiscard]] bool send(std::string_view payload, bool binary) override {
    if (refuse) {
      return false;
    }
    sent.emplace_back(payload);
    last_binary = binary;
    return true;
  }
  [[nodiscard]] bool send_fragmented(std::string_view payload, bool binary, std::size_t) override {
    return send(payload, binary);
  }
  [[nodiscard]] bool ping() override {
    ++pings;
    return true;
  }
  [[nodiscard]] MonoNanos heard_at() const noexcept override { return heard; }
  bool send_raw(std::string_view bytes) override {
    raw.append(bytes);
    return true;
  }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return queued; }
  void close(std::uint16_t code, std::string_view) override { close_code = code; }
  void end_after_sending() override { ended = true; }
  void freeze() override { frozen = true; }
  void cut() override { was_cut = true; }

  // The frames since the last call, as JSON.
  std::vector<nlohmann::json> take() {
    std::vector<nlohmann::json> frames;
    frames.reserve(sent.size());
    for (const std::string& text : sent) {
      frames.push_back(nlohmann::json::parse(text));
    }
    sent.clear();
    return frames;
  }
  std::string take_one() {
    EXPECT_EQ(sent.size(), 1U);
    const std::string text = sent.empty() ? std::string() : sent.front();
    sent.clear();
    return text;
  }

  std::map<std::string, std::string> headers;
  std::vector<std::string> sent;
  std::string raw{};
  bool last_binary{false};
  bool ended{false};
  bool frozen{false};
  bool refuse{false};
  std::size_t queued{0};
  int pings{0};
  MonoNanos heard{};
  std::uint16_t close_code{0};
  bool was_cut{false};

 private:
  std::uint64_t id_;
  std::string path_;
};

}  // namespace sluice::sim::test
