#include "procs/persistence/database_thread.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "common/base/log.hpp"

namespace sluice {
namespace {

// Trading comes first where the cores do not suffice for all: as a batch thread this one never
// takes a core from a thread that runs when it wakes. The niceness is its share while both run: a
// quarter of a core beside one that spins. At 10 (a tenth) it falls behind for good there.
constexpr int kNiceness = 5;

// While the stage waits for the end, even where it is seldom looked otherwise.
constexpr std::int64_t kFinishEvery = 20 * kNanosPerMilli;

void step_back() noexcept {
  // A refusal changes nothing but who comes first.
  const sched_param none{};
  static_cast<void>(::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none));
  const int stage = ::getpriority(PRIO_PROCESS, 0);  // an operator may have put it lower still
  static_cast<void>(
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), std::max(kNiceness, stage)));
}

TradeNames names_of(const InstanceConfig& config) {
  const InstrumentTable table = config.instrument_table();
  TradeNames names;
  for (const Instrument& i : table) {
    names.instruments.push_back({.symbol = std::string(i.symbol()),
                                 .base = table.asset(i.base_asset),
                                 .quote = table.asset(i.quote_asset),
                                 .tick = i.tick,
                                 .lot = i.lot});
  }
  for (std::uint16_t a = 0; a < table.assets(); ++a)
    names.assets.push_back(table.asset(a));
  for (const StrategyConfig& strategy : config.strategies)
    names.strategies.push_back(strategy.name);
  for (const FeedConfig& feed : config.feeds)
    names.feeds.push_back(feed.name);
  return names;
}

bool in_trouble(DatabaseWriter::State state) noexcept {
  return state == DatabaseWriter::State::kDegraded || state == DatabaseWriter::State::kRefused;
}

}  // namespace

DatabaseThread::DatabaseThread(const InstanceConfig& config, const JournalWriter& journal,
                               shm::StagePage& page, const ClockCalibration& clock)
    : journal_(journal),
      page_(page),
      clock_(clock),
      every_ns_(config.persistence.database_every_ns),
      path_(config.persistence.database_file),
      writer_({.journal_dir = config.persistence.journal_dir,
               .path = config.persistence.database_file,
               .batch = config.persistence.database_batch,
               .pnl_every_ns = config.persistence.pnl_every_ns,
               .names = names_of(config)}) {
  thread_ = std::thread([this] { run(); });
}

DatabaseThread::~DatabaseThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void DatabaseThread::finish() noexcept {
  {
    const std::lock_guard lock(mutex_);
    finish_ = true;
  }
  wake_.notify_one();
}

bool DatabaseThread::wait() {
  std::unique_lock lock(mutex_);
  const std::int64_t pause = finish_ ? std::min(every_ns_, kFinishEvery) : every_ns_;
  wake_.wait_for(lock, std::chrono::nanoseconds(pause),
                 [this] { return stop_ || (finish_ && !finish_heard_); });
  return !stop_;
}

void DatabaseThread::run() {
  step_back();
  for (bool more = false; more || wait();) {
    const MonoNanos now = mono_now(clock_);
    // The order matters: what is durable before `last` was asked for is all there will be.
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      last = finish_heard_ = finish_;
      if (stop_)
        return;
    }
    const std::uint64_t durable = journal_.durable_position();
    more = writer_.turn(durable, now);
    try {
      publish(durable, now);
    } catch (const std::exception&) {
      // No memory for a line of log: the numbers are on the page, the next turn says the rest.
    }
    // Trouble is no end: it is tried again as long as the stage is willing to wait.
    if (last && writer_.status().state == DatabaseWriter::State::kCurrent) {
      // release: pairs with the acquire in finished().
      finished_.store(true, std::memory_order_release);
    }
  }
}

void DatabaseThread::publish(std::uint64_t durable, MonoNanos now) {
  const DatabaseWriter::Status& status = writer_.status();
  counted_.publish(page_, PersistenceMetric::kDbRows, status.rows);
  counted_.publish(page_, PersistenceMetric::kDbErrors, status.errors);
  page_.set(PersistenceMetric::kDbApplied, static_cast<std::int64_t>(status.applied));
  page_.set(PersistenceMetric::kDbLag,
            static_cast<std::int64_t>(durable - std::min(durable, status.applied)));
  page_.set(PersistenceMetric::kDbDegraded, in_trouble(status.state) ? 1 : 0);
  if (in_trouble(status.state) && status.problem != told_) {
    log_warn("{}; the journal goes on, the database catches up later", status.problem);
    page_.error(static_cast<std::uint32_t>(status.state), "database is behind: see the log", now);
    told_ = status.problem;
  }
  if (!in_trouble(status.state) && !std::exchange(works_, true)) {
    log_info("database {}: applied up to record {} of {}", path_, status.applied, durable);
    told_.clear();
  }
  works_ = !in_trouble(status.state);
}

}  // namespace sluice
