#include "tools/venue_sim/account_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "common/base/error.hpp"

namespace sluice::sim {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMore = ",\"more\":true}";  // ends each line but an operation's last
constexpr int kFormat = 2;
constexpr int kOldestFormat = 1;

[[noreturn]] void fail_io(const std::string& path, const char* what) {
  throw Error(ExitCode::kResource, path + ": " + what + ": " + std::strerror(errno) +
                                       "; name a folder that can be written with --state");
}

Id128 uuid_at(const Json& json, const char* name) {
  Id128 id{};
  if (!parse_uuid(json.at(name).get_ref<const std::string&>(), id)) {
    throw std::invalid_argument(std::string(name) + " is not an id");
  }
  return id;
}

// The enumerator whose word stands at `name`; the candidates are all there are.
template <class E>
E word_at(const Json& json, const char* name, std::initializer_list<E> candidates) {
  const auto& text = json.at(name).get_ref<const std::string&>();
  for (const E candidate : candidates) {
    if (word(candidate) == text) {
      return candidate;
    }
  }
  throw std::invalid_argument(std::string(name) + " \"" + text + "\" is unknown");
}

void write_asked(JsonWriter& json, const NewOrder& asked) {
  const auto number = [&](const char* name, std::int64_t value) {
    if (value != 0) {  // most orders have few of these
      json.key(name).integer(value);
    }
  };
  json.key("client_order_id").text(asked.client_order_id);
  json.key("side").text(word(asked.side));
  json.key("type").text(word(asked.type));
  json.key("tif").text(word(asked.tif));
  json.key("class").text(word(asked.order_class));
  json.key("qty_e9").integer(asked.qty.raw);
  json.key("limit_e9").integer(asked.limit.raw);
  number("stop_e9", asked.stop.raw);
  number("trail_e9", asked.trail_price.raw);
  number("trail_percent_e9", asked.trail_percent);
  number("notional_e9", asked.notional.raw);
  number("take_profit_e9", asked.take_profit.raw);
  number("stop_loss_e9", asked.stop_loss.raw);
  number("stop_loss_limit_e9", asked.stop_loss_limit.raw);
  json.key("extended").boolean(asked.extended_hours);
}

void write_order(JsonWriter& json, const Order& order, const Symbol& symbol) {
  const auto number = [&](const char* name, std::int64_t value) {
    if (value != 0) {
      json.key(name).integer(value);
    }
  };
  const auto link = [&](const char* name, const std::optional<OrderKey>& key) {
    if (key) {
      json.key(name).integer(*key);
    }
  };
  json.begin_object();
  json.key("key").integer(order.key);
  json.key("id").uuid(order.id);
  json.key("symbol").text(symbol.name);
  write_asked(json, order.asked);
  json.key("protective_e9").integer(order.protective.raw);
  json.key("hold_px_e9").integer(order.hold_px.raw);
  number("carried_e9", order.carried.raw);
  number("filled_e9", order.filled.raw);
  number("hwm_e9", order.hwm.raw);
  json.key("opening").boolean(order.opening);
  json.key("arrived").boolean(order.arrived);
  json.key("elected").boolean(order.elected);
  link("replaces", order.replaces);
  link("replaced_by", order.replaced_by);
  link("parent", order.parent);
  json.key("status").text(word(order.status));
  json.key("submitted_ns").integer(order.submitted_at.ns);
  json.key("updated_ns").integer(order.updated_at.ns);
  json.key("filled_ns").integer(order.filled_at.ns);
  json.key("canceled_ns").integer(order.canceled_at.ns);
  json.key("cancel_requested_ns").integer(order.cancel_requested_at.ns);
  number("expired_ns", order.expired_at.ns);
  number("replaced_ns", order.replaced_at.ns);
  number("failed_ns", order.failed_at.ns);
  number("expires_at_ns", order.expires_at.ns);
  number("expires_ns", order.expires_ns);
  json.key("arrives_ns").integer(order.arrives_at.ns);
  json.end_object();
}

std::optional<OrderKey> link_at(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it == json.end() ? std::nullopt : std::optional(it->get<OrderKey>());
}

std::int64_t number_at(const Json& json, const char* name) {
  return json.value(name, std::int64_t{0});
}

void read_asked(const Json& json, NewOrder& asked) {
  asked.client_order_id = json.at("client_order_id").get<std::string>();
  asked.side = word_at(json, "side", {Side::kBuy, Side::kSell});
  asked.type = word_at(json, "type", kOrderTypes);
  asked.tif = word_at(json, "tif", kTimesInForce);
  asked.order_class =
      json.contains("class") ? word_at(json, "class", kOrderClasses) : OrderClass::kSimple;
  asked.qty.raw = json.at("qty_e9").get<std::int64_t>();
  asked.limit.raw = json.at("limit_e9").get<std::int64_t>();
  asked.stop.raw = number_at(json, "stop_e9");
  asked.trail_price.raw = number_at(json, "trail_e9");
  asked.trail_percent = number_at(json, "trail_percent_e9");
  asked.notional.raw = number_at(json, "notional_e9");
  asked.take_profit.raw = number_at(json, "take_profit_e9");
  asked.stop_loss.raw = number_at(json, "stop_loss_e9");
  asked.stop_loss_limit.raw = number_at(json, "stop_loss_limit_e9");
  asked.extended_hours = json.value("extended", false);
}

Order read_order(const Json& json, SymbolIndex symbol) {
  Order order;
  order.key = json.at("key").get<OrderKey>();
  order.id = uuid_at(json, "id");
  read_asked(json, order.asked);
  order.asked.symbol = symbol;
  order.protective.raw = json.at("protective_e9").get<std::int64_t>();
  order.status = word_at(json, "status", kOrderStatuses);
  // Format 1: crypto only, where buys open, at their protective price; and an order that was new
  // had met the matcher.
  order.hold_px.raw = json.value("hold_px_e9", order.protective.raw);
  order.opening = json.value("opening", order.asked.side == Side::kBuy);
  order.arrived = json.value("arrived", order.status == OrderStatus::kNew ||
                                            order.status == OrderStatus::kPartiallyFilled);
  order.carried.raw = number_at(json, "carried_e9");
  order.filled.raw = number_at(json, "filled_e9");
  order.hwm.raw = number_at(json, "hwm_e9");
  order.elected = json.value("elected", false);
  order.replaces = link_at(json, "replaces");
  order.replaced_by = link_at(json, "replaced_by");
  order.parent = link_at(json, "parent");
  order.submitted_at.ns = json.at("submitted_ns").get<std::int64_t>();
  order.updated_at.ns = json.at("updated_ns").get<std::int64_t>();
  order.filled_at.ns = json.at("filled_ns").get<std::int64_t>();
  order.canceled_at.ns = json.at("canceled_ns").get<std::int64_t>();
  order.cancel_requested_at.ns = json.at("cancel_requested_ns").get<std::int64_t>();
  order.expired_at.ns = number_at(json, "expired_ns");
  order.replaced_at.ns = number_at(json, "replaced_ns");
  order.failed_at.ns = number_at(json, "failed_ns");
  order.expires_at.ns = number_at(json, "expires_at_ns");
  order.expires_ns = number_at(json, "expires_ns");
  order.arrives_at.ns = json.at("arrives_ns").get<std::int64_t>();
  return order;
}

void write_execution(JsonWriter& json, const Execution& execution) {
  json.begin_object();
  json.key("id").uuid(execution.id);
  json.key("px_e9").integer(execution.px.raw);
  json.key("qty_e9").integer(execution.qty.raw);
  json.key("cum_qty_e9").integer(execution.cum_qty.raw);
  json.key("fee_e9").integer(execution.fee);
  json.key("fee_in_base").boolean(execution.fee_in_base);
  json.key("maker").boolean(execution.maker);
  json.key("completes").boolean(execution.completes);
  json.key("position_after_e9").integer(execution.position_after.raw);
  json.key("at_ns").integer(execution.at.ns);
  json.end_object();
}

Execution read_execution(const Json& json, OrderKey order) {
  Execution execution;
  execution.id = uuid_at(json, "id");
  execution.order = order;
  execution.px.raw = json.at("px_e9").get<std::int64_t>();
  execution.qty.raw = json.at("qty_e9").get<std::int64_t>();
  execution.cum_qty.raw = json.at("cum_qty_e9").get<std::int64_t>();
  execution.fee = json.at("fee_e9").get<std::int64_t>();
  execution.fee_in_base = json.at("fee_in_base").get<bool>();
  execution.maker = json.at("maker").get<bool>();
  execution.completes = json.at("completes").get<bool>();
  execution.position_after.raw = json.at("position_after_e9").get<std::int64_t>();
  execution.at.ns = json.at("at_ns").get<std::int64_t>();
  return execution;
}

// A kill can end the file in the middle of an operation: what was not told did not happen.
void cut_to_whole_operations(std::string& content) {
  const auto keep_lines = [&](std::size_t before) {
    const std::size_t last = before == 0 ? std::string::npos : content.rfind('\n', before - 1);
    content.resize(last == std::string::npos ? 0 : last + 1);
  };
  keep_lines(content.size());
  while (content.size() > kMore.size() &&
         content.compare(content.size() - kMore.size() - 1, kMore.size(), kMore) == 0) {
    keep_lines(content.size() - 1);
  }
}

}  // namespace

AccountLog::AccountLog(const std::string& dir, const AccountTerms& terms,
                       const std::vector<Symbol>& symbols)
    : path_(dir + "/account.jsonl"), symbols_(symbols), terms_(terms) {
  std::error_code failure;
  std::filesystem::create_directories(dir, failure);
  std::string content;
  if (std::ifstream in(path_, std::ios::binary); in) {
    std::ostringstream all;
    all << in.rdbuf();
    content = std::move(all).str();
  }
  cut_to_whole_operations(content);
  std::size_t whole = content.size();
  continued_ = whole > 0;
  if (continued_) {
    load(content);
  }
  if (old_format_) {  // the lines may stay: what they do not say is what was true then
    content = header() + content.substr(content.find('\n'));
    write_file_atomically(path_, content);
    whole = content.size();
  }
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) {
    fail_io(path_, "cannot be opened");
  }
  if (::ftruncate(file_, static_cast<off_t>(whole)) != 0 || ::lseek(file_, 0, SEEK_END) < 0) {
    fail_io(path_, "cannot be prepared");
  }
  if (!continued_) {
    line_ = header();
    end_line();
    commit();
  }
}

std::string AccountLog::header() const {
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  json.key("format").integer(kFormat);
  json.key("account_id").uuid(terms_.identity.id);
  json.key("number").text(terms_.identity.number);
  json.key("created_ns").integer(terms_.identity.created_at.ns);
  // As text: JSON integers of other readers end at 2^53.
  json.key("seed").text(std::to_string(terms_.seed));
  json.key("cash_e9").integer(terms_.cash.raw);
  json.key("taker_bps").integer(terms_.fees.taker_bps);
  json.key("maker_bps").integer(terms_.fees.maker_bps);
  json.end_object();
  return line;
}

AccountLog::~AccountLog() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

void AccountLog::load(const std::string& content) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = content.find('\n', at);
    ++number;
    try {
      load_line(std::string_view(content).substr(at, end - at), number);
    } catch (const std::exception& failure) {
      throw Error(ExitCode::kConfig, path_ + ":" + std::to_string(number) + ": " + failure.what() +
                                         "; start on an empty --state folder");
    }
    at = end + 1;
  }
  for (const Order& order : saved_.orders) {
    for (const auto& link : {order.parent, order.replaced_by}) {
      if (link && *link >= saved_.orders.size()) {
        throw Error(ExitCode::kConfig, path_ + ": order " + std::to_string(order.key) +
                                           " belongs to order " + std::to_string(*link) +
                                           ", which is missing; start on an empty --state folder");
      }
    }
  }
}

void AccountLog::load_line(std::string_view line, std::size_t number) {
  if (number == 1) {
    load_header(line);
  } else {
    load_event(line);
  }
}

void AccountLog::load_header(std::string_view line) {
  const Json json = Json::parse(line);
  const int format = json.at("format").get<int>();
  if (format < kOldestFormat || format > kFormat) {
    throw std::invalid_argument("format " + std::to_string(format) + " is not one of " +
                                std::to_string(kOldestFormat) + " to " + std::to_string(kFormat) +
                                ", which this simulator reads");
  }
  old_format_ = format < kFormat;
  if (json.at("taker_bps").get<std::uint32_t>() != terms_.fees.taker_bps ||
      json.at("maker_bps").get<std::uint32_t>() != terms_.fees.maker_bps) {
    throw std::invalid_argument("the account was opened with other fees");
  }
  terms_.identity.id = uuid_at(json, "account_id");
  terms_.identity.number = json.at("number").get<std::string>();
  terms_.identity.created_at.ns = json.at("created_ns").get<std::int64_t>();
  terms_.seed = std::stoull(json.at("seed").get<std::string>());
  terms_.cash.raw = json.at("cash_e9").get<std::int64_t>();
}

void AccountLog::load_event(std::string_view line) {
  const Json json = Json::parse(line);
  if (json.contains("suspended")) {
    saved_.suspended = json.at("suspended").get<bool>();
    return;
  }
  if (const auto posted = json.find("fees_posted_ns"); posted != json.end()) {
    saved_.fee_posts.push_back({saved_.executions.size(), WallNanos{posted->get<std::int64_t>()}});
    return;
  }
  saved_.ids_issued = json.at("issued").get<std::uint64_t>();
  const Json& saved_order = json.at("order");
  const auto& name = saved_order.at("symbol").get_ref<const std::string&>();
  std::size_t symbol = 0;
  while (symbol < symbols_.size() && symbols_[symbol].name != name) {
    ++symbol;
  }
  if (symbol == symbols_.size()) {
    throw std::invalid_argument("the session has no symbol \"" + name + "\"");
  }
  Order order = read_order(saved_order, static_cast<SymbolIndex>(symbol));
  const OrderKey key = order.key;
  const bool known = key < saved_.orders.size();
  if (key > saved_.orders.size()) {
    throw std::invalid_argument("an order is missing before this one");
  }
  if (order.replaces && *order.replaces >= key) {
    throw std::invalid_argument("an order replaces one that comes after it");
  }
  std::optional<Execution> execution;
  if (const auto fill = json.find("execution"); fill != json.end()) {
    execution = read_execution(*fill, key);
  }
  if (known) {
    order.filled_value = saved_.orders[key].filled_value;
    order.executions = saved_.orders[key].executions;
  }
  // A successor that goes on from its predecessor's fills had a quantity before its own first one.
  const std::int64_t before = order.filled.raw - (execution ? execution->qty.raw : 0);
  if (order.executions == 0 && before > 0 && order.replaces) {
    order.filled_value = saved_.orders[*order.replaces].filled_value;
  }
  if (execution) {
    order.filled = execution->cum_qty;
    order.filled_value += Int128{execution->px.raw} * execution->qty.raw;
    ++order.executions;
    saved_.executions.push_back(*execution);
  } else if (known) {
    order.filled = std::max(order.filled, saved_.orders[key].filled);
  }
  if (known) {
    saved_.orders[key] = std::move(order);
  } else {
    saved_.orders.push_back(std::move(order));
  }
}

void AccountLog::append(const OrderEvent& event, std::uint64_t ids_issued) {
  line_.clear();
  JsonWriter json(line_);
  json.begin_object();
  json.key("event").text(event.event);
  json.key("issued").integer(static_cast<std::int64_t>(ids_issued));
  json.key("order");
  write_order(json, event.order, symbols_[event.order.asked.symbol]);
  if (event.execution != nullptr) {
    json.key("execution");
    write_execution(json, *event.execution);
  }
  json.end_object();
  if (!lines_.empty()) {
    lines_.replace(lines_.size() - 2, 2, kMore).push_back('\n');
  }
  end_line();
}

void AccountLog::append_configuration(bool suspended) {
  line_.clear();
  JsonWriter json(line_);
  json.begin_object();
  json.key("suspended").boolean(suspended);
  json.end_object();
  end_line();
  commit();
}

void AccountLog::append_fees(WallNanos posted_at) {
  line_.clear();
  JsonWriter json(line_);
  json.begin_object();
  json.key("fees_posted_ns").integer(posted_at.ns);
  json.end_object();
  end_line();
  commit();
}

void AccountLog::end_line() {
  lines_.append(line_).push_back('\n');
}

void AccountLog::commit() {
  const ssize_t written = lines_.empty() ? 0 : ::write(file_, lines_.data(), lines_.size());
  if (written != static_cast<ssize_t>(lines_.size())) {
    fail_io(path_, "cannot be written");
  }
  lines_.clear();
}

void write_file_atomically(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".tmp";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << content;
    out.flush();
    if (!out) {
      fail_io(temporary, "cannot be written");
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    fail_io(path, "cannot be renamed into place");
  }
}

}  // namespace sluice::sim
