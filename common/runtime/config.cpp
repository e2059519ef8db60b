#include "common/runtime/config.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "common/base/config.hpp"
#include "common/base/error.hpp"
#include "common/messages/ids.hpp"

namespace sluice {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kMaxRaw = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMaxInstanceName = 12;
constexpr std::size_t kMaxStrategies = 64;
constexpr std::size_t kMaxInstruments = 4096;

// Names become file names, role names and parts of client order ids.
std::string checked_name(const ConfigTable& table, std::string_view key, std::size_t max) {
  std::string name = table.str(key);
  const bool good =
      !name.empty() && name.size() <= max && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      });
  if (!good)
    table.fail(key, "use 1 to " + std::to_string(max) + " characters out of a-z and 0-9");
  return name;
}

// Paths in a config are relative to the file they stand in, so that a folder can be moved whole.
std::string resolved(const std::string& config_path, const std::string& path) {
  if (path.empty() || path.front() == '/')
    return path;
  return (std::filesystem::absolute(config_path).parent_path() / path).lexically_normal().string();
}

std::uint16_t port_of(const ConfigTable& table, std::string_view key) {
  return static_cast<std::uint16_t>(table.integer(key, 1, 65535));
}

void require_loopback(const ConfigTable& table, std::string_view key, const std::string& host) {
  if (host != "127.0.0.1" && host != "localhost" && host != "::1") {
    table.fail(key, "this version speaks plain HTTP to loopback only; use 127.0.0.1");
  }
}

std::uint32_t power_of_two(const ConfigTable& table, std::string_view key, std::int64_t fallback) {
  const std::int64_t slots = table.integer(key, 64, 1 << 22, fallback);
  if ((slots & (slots - 1)) != 0)
    table.fail(key, "a ring's slots are a power of two");
  return static_cast<std::uint32_t>(slots);
}

// Basis points with two decimals, kept as hundredths: "0.4" is 40.
std::int64_t centi_bps(const ConfigTable& table, std::string_view key, std::int64_t max_bps) {
  const std::int64_t raw = table.decimal(key, 0, max_bps * kScale);
  constexpr std::int64_t kStep = kScale / 100;
  if (raw % kStep != 0)
    table.fail(key, "at most two decimals");
  return raw / kStep;
}

template <class List>
std::uint16_t index_of(const ConfigTable& table, std::string_view key, const List& list) {
  const std::string name = table.str(key);
  std::string known;
  for (const auto& item : list) {
    if (item.name == name)
      return item.index;
    known += (known.empty() ? "" : ", ") + item.name;
  }
  table.fail(key, "no such name; known: " + (known.empty() ? std::string("none") : known));
}

template <class List>
void refuse_twice(const ConfigTable& table, const List& list, const std::string& name) {
  for (const auto& item : list) {
    if (item.name == name)
      table.fail("name", "this name is taken; names are unique");
  }
}

VenueConfig read_venue(const ConfigTable& table, const InstanceConfig& config) {
  VenueConfig venue;
  venue.name = checked_name(table, "name", 16);
  refuse_twice(table, config.venues, venue.name);
  venue.index = static_cast<std::uint16_t>(config.venues.size());
  const std::string mode = table.one_of("mode", {"simulator", "paper", "live"});
  venue.mode = mode == "live"    ? VenueMode::kLive
               : mode == "paper" ? VenueMode::kPaper
                                 : VenueMode::kSimulator;
  venue.rest_host = table.str("rest_host");
  require_loopback(table, "rest_host", venue.rest_host);
  venue.rest_port = port_of(table, "rest_port");
  venue.stream_host = table.str("stream_host");
  require_loopback(table, "stream_host", venue.stream_host);
  venue.stream_port = port_of(table, "stream_port");
  venue.stream_path = table.str("stream_path", "/stream");
  venue.credentials_file = resolved(config.path, table.str("credentials_file"));
  venue.taker_fee_bps = static_cast<std::uint32_t>(table.integer("taker_fee_bps", 0, 1000));
  venue.maker_fee_bps = static_cast<std::uint32_t>(table.integer("maker_fee_bps", 0, 1000));
  venue.rate_per_minute =
      static_cast<std::uint32_t>(table.integer("rate_per_minute", 1, 1'000'000));
  return venue;
}

FeedConfig read_feed(const ConfigTable& table, const InstanceConfig& config) {
  FeedConfig feed;
  feed.name = checked_name(table, "name", 16);
  refuse_twice(table, config.feeds, feed.name);
  feed.index = static_cast<std::uint16_t>(config.feeds.size());
  feed.venue = index_of(table, "venue", config.venues);
  feed.host = table.str("host");
  require_loopback(table, "host", feed.host);
  feed.port = port_of(table, "port");
  feed.path = table.str("path");
  feed.quotes = feed.trades = false;
  for (const std::string& channel : table.strings("channels")) {
    if (channel == "quotes") {
      feed.quotes = true;
    } else if (channel == "trades") {
      feed.trades = true;
    } else if (channel == "orderbooks") {
      feed.orderbooks = true;
    } else if (channel == "statuses") {
      feed.statuses = true;
    } else {
      table.fail("channels", "'" + channel + "' is none of quotes, trades, orderbooks, statuses");
    }
  }
  const bool stocks = feed.asset_class() == AssetClass::kUsEquity;
  if (stocks && !feed.statuses)
    table.fail("channels", "a stock feed needs statuses: without them a halt goes unseen");
  if (stocks && feed.orderbooks)
    table.fail("channels", "a stock feed has no orderbooks; leave them out");
  if (!stocks && feed.statuses)
    table.fail("channels", "a crypto feed has no statuses; leave them out");
  if (!feed.quotes)
    table.fail("channels", "quotes are needed: without them nothing may trade");
  feed.reconnect_min_ns =
      table.duration_ns("reconnect_min", kMillisecond, kMinute, 100 * kMillisecond);
  feed.reconnect_max_ns = table.duration_ns("reconnect_max", kMillisecond, kHour, 5 * kSecond);
  if (feed.reconnect_max_ns < feed.reconnect_min_ns) {
    table.fail("reconnect_max", "must not be below reconnect_min");
  }
  feed.reconnect_attempts =
      static_cast<std::uint32_t>(table.integer("reconnect_attempts", 1, 10'000, 20));
  return feed;
}

InstrumentConfig read_instrument(const ConfigTable& table, const InstanceConfig& config) {
  InstrumentConfig instrument;
  InstrumentSpec& spec = instrument.spec;
  instrument.index = static_cast<std::uint32_t>(config.instruments.size());
  spec.symbol = table.str("symbol");
  spec.position_symbol = table.str("position_symbol", "");
  instrument.feed = index_of(table, "feed", config.feeds);
  instrument.venue = index_of(table, "venue", config.venues);
  spec.venue = instrument.venue;
  spec.asset_class = table.one_of("class", {"crypto", "us_equity"}, "crypto") == "us_equity"
                         ? AssetClass::kUsEquity
                         : AssetClass::kCrypto;
  if (spec.asset_class != config.feeds[instrument.feed].asset_class()) {
    table.fail("class", "the feed " + config.feeds[instrument.feed].name + " (" +
                            config.feeds[instrument.feed].path +
                            ") carries the other class; /v2/… are stock feeds");
  }
  spec.base = table.str("base", "");
  spec.quote = table.str("quote", "");
  spec.tick = Price{table.decimal("tick", 1, kMaxRaw)};
  spec.lot = Qty{table.decimal("lot", 1, kMaxRaw)};
  spec.fractional = spec.lot.raw % kScale != 0;
  if (spec.asset_class == AssetClass::kUsEquity && spec.fractional)
    table.fail("lot", "an equity trades in whole shares here; use \"1\"");
  spec.min_qty = Qty{table.decimal("min_qty", 1, kMaxRaw)};
  if (spec.min_qty.raw % spec.lot.raw != 0)
    table.fail("min_qty", "must be a multiple of lot");
  spec.min_notional = Cash{table.decimal("min_notional", 0, kMaxRaw)};
  spec.shortable = table.boolean("shortable", false);
  spec.market_orders = table.boolean("market_orders", false);
  instrument.max_order_qty = Qty{table.decimal("max_order_qty", 1, kMaxRaw)};
  instrument.max_order_notional = Cash{table.decimal("max_order_notional", 1, kMaxRaw)};
  instrument.max_position = Qty{table.decimal("max_position", 1, kMaxRaw)};
  instrument.max_exposure = Cash{table.decimal("max_exposure", 1, kMaxRaw)};
  instrument.ceiling_order_qty = Qty{table.decimal("ceiling_order_qty", 1, kMaxRaw)};
  instrument.ceiling_order_notional = Cash{table.decimal("ceiling_order_notional", 1, kMaxRaw)};
  instrument.ceiling_position = Qty{table.decimal("ceiling_position", 1, kMaxRaw)};
  return instrument;
}

MomentumConfig read_momentum(const ConfigTable& table) {
  MomentumConfig m;
  m.signal_bps = centi_bps(table, "signal_bps", 10'000);
  m.lookback_ns = table.duration_ns("lookback", kMillisecond, kHour);
  m.rest_every_ns = table.duration_ns("rest_every", 0, kHour);
  m.rest_for_ns = table.duration_ns("rest_for", kMillisecond, kHour);
  m.rest_offset_bps = centi_bps(table, "rest_offset_bps", 1000);
  m.take_through_bps = centi_bps(table, "take_through_bps", 1000);
  return m;
}

QuoterConfig read_quoter(const ConfigTable& table) {
  QuoterConfig q;
  q.quote_offset_bps = centi_bps(table, "quote_offset_bps", 1000);
  q.skew_bps = centi_bps(table, "skew_bps", 1000);
  q.requote_bps = centi_bps(table, "requote_bps", 1000);
  q.requote_every_ns = table.duration_ns("requote_every", kMillisecond, kHour);
  q.quote_max_age_ns = table.duration_ns("quote_max_age", kMillisecond, kHour);
  return q;
}

StrategyConfig read_strategy(const ConfigTable& table, const InstanceConfig& config) {
  StrategyConfig strategy;
  strategy.name = checked_name(table, "name", 16);
  refuse_twice(table, config.strategies, strategy.name);
  strategy.index = static_cast<std::uint16_t>(config.strategies.size());
  strategy.kind = table.one_of("kind", {"momentum", "quoter"});
  strategy.feed = index_of(table, "feed", config.feeds);
  for (const std::string& symbol : table.strings("instruments")) {
    const auto at =
        std::find_if(config.instruments.begin(), config.instruments.end(),
                     [&](const InstrumentConfig& i) { return i.spec.symbol == symbol; });
    if (at == config.instruments.end()) {
      table.fail("instruments", "'" + symbol + "' is no [[instrument]] of this file");
    }
    if (at->feed != strategy.feed) {
      table.fail("instruments", "'" + symbol + "' comes from another feed than this strategy's");
    }
    for (const StrategyConfig& other : config.strategies) {
      if (std::count(other.instruments.begin(), other.instruments.end(), at->index) != 0) {
        table.fail("instruments", "'" + symbol + "' is traded by both strategies " + other.name +
                                      " and " + strategy.name +
                                      "; instruments of strategies are disjoint");
      }
    }
    strategy.instruments.push_back(at->index);
  }
  if (strategy.instruments.empty())
    table.fail("instruments", "list at least one symbol");
  strategy.order_qty = Qty{table.decimal("order_qty", 1, kMaxRaw)};
  strategy.max_position = Qty{table.decimal("max_position", 1, kMaxRaw)};
  strategy.cooldown_ns = table.duration_ns("cooldown", kMillisecond, kHour);
  if (strategy.kind == "quoter") {
    strategy.quoter = read_quoter(table);
  } else {
    strategy.momentum = read_momentum(table);
  }
  strategy.intent_deadline_ns =
      table.duration_ns("intent_deadline", kMillisecond, kMinute, 500 * kMillisecond);
  strategy.max_event_age_ns = table.duration_ns("max_event_age", 0, kHour);
  return strategy;
}

RiskConfig read_risk(const ConfigTable& table) {
  RiskConfig risk;
  risk.publish_every_ns =
      table.duration_ns("publish_every", kMillisecond, 10 * kSecond, 50 * kMillisecond);
  risk.market_data_max_age_ns = table.duration_ns("market_data_max_age", 0, kHour);
  risk.max_gross_exposure = Cash{table.decimal("max_gross_exposure", 1, kMaxRaw)};
  risk.max_open_orders = static_cast<std::uint32_t>(table.integer("max_open_orders", 1, 10'000));
  return risk;
}

GatewayConfig read_gateway(const ConfigTable& table) {
  GatewayConfig g;
  g.orders_max = static_cast<std::uint32_t>(table.integer("orders_max", 64, 1 << 20));
  g.connections = static_cast<std::uint32_t>(table.integer("connections", 1, 32));
  g.cancel_connections = static_cast<std::uint32_t>(table.integer("cancel_connections", 1, 8));
  g.limit_sheet_max_age_ns = table.duration_ns("limit_sheet_max_age", kMillisecond, kMinute);
  g.market_data_max_age_ns = table.duration_ns("market_data_max_age", 0, kHour);
  g.risk_heartbeat_max_age_ns = table.duration_ns("risk_heartbeat_max_age", kMillisecond, kMinute);
  g.answer_timeout_ns = table.duration_ns("answer_timeout", kMillisecond, kMinute);
  g.settle_ns = table.duration_ns("settle", kMillisecond, kMinute);
  g.stream_proof_ns = table.duration_ns("stream_proof", kMillisecond, kMinute);
  g.account_poll_ns = table.duration_ns("account_poll", 100 * kMillisecond, kHour);
  g.cancel_poll_ns = table.duration_ns("cancel_poll", kMillisecond, kMinute);
  g.terminal_retention_ns = table.duration_ns("terminal_retention", kSecond, 24 * kHour);
  g.collar_bps = table.integer("collar_bps", 1, 5000);
  g.reduce_collar_bps = table.integer("reduce_collar_bps", 1, 5000);
  if (g.reduce_collar_bps < g.collar_bps) {
    table.fail("reduce_collar_bps",
               "must not be below collar_bps: reductions get the wider collar");
  }
  g.strategy_rate_per_second =
      static_cast<std::uint32_t>(table.integer("strategy_rate_per_second", 1, 100'000));
  g.duplicate_within_ns = table.duration_ns("duplicate_within", 0, kSecond, 20 * kMillisecond);
  g.venue_retry_attempts =
      static_cast<std::uint32_t>(table.integer("venue_retry_attempts", 1, 1000, 10));
  g.max_open_orders = static_cast<std::uint32_t>(table.integer("max_open_orders", 1, 10'000));
  g.max_gross_exposure = Cash{table.decimal("max_gross_exposure", 1, kMaxRaw)};
  return g;
}

PersistenceConfig read_persistence(const ConfigTable& table, const InstanceConfig& config) {
  PersistenceConfig p;
  const std::string dir = table.str("journal_dir", "journal");
  p.journal_dir = dir.empty() || dir.front() == '/' ? dir : config.run_dir + "/" + dir;
  p.segment_bytes = static_cast<std::uint64_t>(
      table.integer("segment_bytes", 1 << 20, std::int64_t{1} << 32, 64 << 20));
  p.sync_every_ns = table.duration_ns("sync_every", kMillisecond, kMinute, 20 * kMillisecond);
  p.market_data = table.boolean("market_data", true);
  p.database = table.one_of("database", {"sqlite", "none"}, "sqlite") == "sqlite";
  const std::string file = table.str("database_file", "sluice.db");
  if (file.empty())
    table.fail("database_file", "name a file, or say database = \"none\"");
  p.database_file = file.front() == '/' ? file : config.run_dir + "/" + file;
  p.database_batch =
      static_cast<std::uint32_t>(table.integer("database_batch", 1, 1'000'000, 4'096));
  p.database_every_ns =
      table.duration_ns("database_every", kMillisecond, kMinute, 100 * kMillisecond);
  p.pnl_every_ns = table.duration_ns("pnl_every", 100 * kMillisecond, kHour, kSecond);
  return p;
}

TopologyConfig read_topology(const ConfigTable& table) {
  TopologyConfig t;
  const std::string idle = table.one_of("idle", {"spin", "yield", "backoff"}, "backoff");
  t.idle = idle == "spin"    ? IdleMode::kSpin
           : idle == "yield" ? IdleMode::kYield
                             : IdleMode::kBackoff;
  t.market_data_slots = power_of_two(table, "market_data_slots", 16'384);
  t.order_slots = power_of_two(table, "order_slots", 4'096);
  t.persistence_slots = power_of_two(table, "persistence_slots", 65'536);
  t.pin = table.strings("pin", {});
  for (const std::string& entry : t.pin) {
    const std::size_t at = entry.find('=');
    const std::string cpu = at == std::string::npos ? "" : entry.substr(at + 1);
    if (at == 0 || cpu.empty() || cpu.size() > 4 ||
        !std::all_of(cpu.begin(), cpu.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      table.fail("pin", "'" + entry + "' must be stage=cpu, for example \"gateway=4\"");
    }
  }
  return t;
}

// Rules between tables, said at the key that has to change.
void check_together(const ConfigTable& root, const InstanceConfig& config) {
  if (!config.bench_profile) {
    if (config.gateway.market_data_max_age_ns == 0) {
      root.table("gateway").fail("market_data_max_age",
                                 "0 switches staleness off; only with "
                                 "[instance] bench_profile = true");
    }
    if (config.risk.market_data_max_age_ns == 0) {
      root.table("risk").fail("market_data_max_age",
                              "0 switches staleness off; only with "
                              "[instance] bench_profile = true");
    }
  }
  for (const VenueConfig& venue : config.venues) {
    if (config.bench_profile && venue.mode != VenueMode::kSimulator) {
      root.table("instance")
          .fail("bench_profile", "the bench profile runs on the simulator only; venue " +
                                     venue.name + " is not one");
    }
  }
}

}  // namespace

InstanceConfig load_instance_config(const std::string& path) {
  const ConfigFile file = ConfigFile::load(path);
  const ConfigTable root = file.root();
  InstanceConfig config;
  config.path = path;

  const ConfigTable instance = root.table("instance");
  config.name = checked_name(instance, "name", kMaxInstanceName);
  config.shm_dir = instance.str("shm_dir", "");
  if (config.shm_dir.empty())
    config.shm_dir = std::string(kDefaultShmRoot) + "/" + config.name;
  if (config.shm_dir.front() != '/')
    instance.fail("shm_dir", "must be an absolute path on a tmpfs");
  config.state_dir = resolved(path, instance.str("state_dir"));
  config.run_dir = resolved(path, instance.str("run_dir"));
  config.bench_profile = instance.boolean("bench_profile", false);

  for (const ConfigTable& table : root.tables("venue"))
    config.venues.push_back(read_venue(table, config));
  if (config.venues.empty())
    root.fail("venue", "list at least one [[venue]]");
  if (config.venues.size() > 1)
    root.fail("venue", "this version trades one venue per instance");
  for (const ConfigTable& table : root.tables("feed")) {
    config.feeds.push_back(read_feed(table, config));
  }
  if (config.feeds.empty())
    root.fail("feed", "list at least one [[feed]]");
  for (const ConfigTable& table : root.tables("instrument")) {
    if (config.instruments.size() == kMaxInstruments) {
      root.fail("instrument", "at most " + std::to_string(kMaxInstruments) + " instruments");
    }
    config.instruments.push_back(read_instrument(table, config));
  }
  if (config.instruments.empty())
    root.fail("instrument", "list at least one [[instrument]]");
  for (const ConfigTable& table : root.tables("strategy")) {
    if (config.strategies.size() == kMaxStrategies) {
      root.fail("strategy", "at most " + std::to_string(kMaxStrategies) + " strategies");
    }
    config.strategies.push_back(read_strategy(table, config));
  }
  if (config.strategies.empty())
    root.fail("strategy", "list at least one [[strategy]]");
  config.risk = read_risk(root.table("risk"));
  config.gateway = read_gateway(root.table("gateway"));
  config.persistence = read_persistence(root.table("persistence"), config);
  config.topology = read_topology(root.table("topology"));
  root.finish();
  check_together(root, config);
  static_cast<void>(config.instrument_table());  // refuses duplicate symbols
  return config;
}

InstrumentTable InstanceConfig::instrument_table() const {
  std::vector<InstrumentSpec> specs;
  specs.reserve(instruments.size());
  for (const InstrumentConfig& i : instruments)
    specs.push_back(i.spec);
  return InstrumentTable(
      specs, std::max(InstrumentTable::kCapacityDefault, static_cast<std::uint32_t>(specs.size())));
}

namespace {

template <class List>
const auto& named(const List& list, std::string_view name, const char* what,
                  const std::string& path) {
  std::string known;
  for (const auto& item : list) {
    if (item.name == name)
      return item;
    known += (known.empty() ? "" : ", ") + item.name;
  }
  throw Error(ExitCode::kUsage, std::string("no ") + what + " '" + std::string(name) + "' in " +
                                    path + "; known: " + known);
}

}  // namespace

const FeedConfig& InstanceConfig::feed(std::string_view feed_name) const {
  return named(feeds, feed_name, "feed", path);
}
const StrategyConfig& InstanceConfig::strategy(std::string_view strategy_name) const {
  return named(strategies, strategy_name, "strategy", path);
}

Credentials load_credentials(const std::string& path) {
  ::prctl(PR_SET_DUMPABLE, 0UL);  // from here on a core dump would hold the secret
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw Error(ExitCode::kCredentials,
                path + ": " + std::strerror(errno) +
                    "; write the file with two lines, key = … and secret = …");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(ExitCode::kCredentials, path + " may be read by others; run: chmod 600 " + path);
  }
  std::ifstream in(path);
  Credentials credentials;
  std::string line;
  while (std::getline(in, line)) {
    const auto value_of = [&](std::string_view name) -> std::string {
      const std::size_t at = line.find('=');
      if (at == std::string::npos ||
          line.substr(0, line.find_last_not_of(" \t", at - 1) + 1) != name) {
        return {};
      }
      const std::size_t from = line.find_first_not_of(" \t", at + 1);
      const std::size_t to = line.find_last_not_of(" \t\r");
      return from == std::string::npos ? std::string{} : line.substr(from, to - from + 1);
    };
    if (std::string key = value_of("key"); !key.empty())
      credentials.key = key;
    if (std::string secret = value_of("secret"); !secret.empty())
      credentials.secret = secret;
  }
  if (credentials.key.empty() || credentials.secret.empty()) {
    throw Error(ExitCode::kCredentials, path + " lacks " +
                                            (credentials.key.empty() ? "key = …" : "secret = …") +
                                            "; it needs two lines, key = … and secret = …");
  }
  return credentials;
}

}  // namespace sluice
