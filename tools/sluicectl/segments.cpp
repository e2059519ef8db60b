// shm create and destroy, and what happens to the leftovers of a dead run.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/messages/rows.hpp"
#include "common/runtime/process.hpp"
#include "common/runtime/topology.hpp"
#include "common/runtime/version.hpp"
#include "shm/board.hpp"
#include "shm/layout.hpp"
#include "shm/operator_trip.hpp"
#include "shm/role.hpp"
#include "tools/sluicectl/commands.hpp"

namespace sluice {
namespace {

// Beside the segments stands the config they were made from: a later `up` drains a dead run with
// it.
std::string origin_file(const InstanceConfig& config) {
  return config.shm_dir + "/origin";
}

void write_origin(const InstanceConfig& config) {
  std::ofstream out(origin_file(config), std::ios::trunc);
  out << std::filesystem::absolute(config.path).string() << "\n";
  if (!out.flush()) {
    throw Error(ExitCode::kResource,
                origin_file(config) + " cannot be written; is the tmpfs full?");
  }
}

std::string read_origin(const InstanceConfig& config) {
  std::ifstream in(origin_file(config));
  std::string path;
  std::getline(in, path);
  return path;
}

InstrumentRow row_of(const Instrument& instrument) {
  InstrumentRow row;
  std::memcpy(row.symbol.data(), instrument.symbol().data(),
              std::min(instrument.symbol().size(), row.symbol.size() - 1));
  row.index = instrument.index;
  row.venue = instrument.venue;
  row.base_asset = instrument.base_asset;
  row.quote_asset = instrument.quote_asset;
  row.flags = instrument.flags;
  row.tick = instrument.tick;
  row.lot = instrument.lot;
  row.min_qty = instrument.min_qty;
  row.max_qty = instrument.max_qty;
  row.multiplier = instrument.multiplier;
  return row;
}

// What a stage that died could not tell goes with its segments; its successor would have told it.
void warn_of_untold(const std::vector<std::string>& untold) {
  for (const std::string& line : untold)
    log_warn("lost with the segments: {}", line);
}

}  // namespace

void create_segments(const InstanceConfig& config, bool force) {
  const shm::Layout layout = layout_of(config);
  const std::vector<std::string> untold = shm::inspect_layout(config.shm_dir).untold;
  const shm::CreateReport report = shm::create_layout(layout, force);
  warn_of_untold(untold);
  for (const std::string& lost : report.lost)
    log_warn("lost with --force: {}", lost);
  write_origin(config);
  const shm::RoleLock role = shm::RoleLock::acquire(config.shm_dir, kOperatorRole, "set-up");
  const shm::Instance instance = shm::Instance::attach(config.shm_dir, std::chrono::seconds(1));
  shm::BoardWriter<InstrumentRow> instruments(instance, board::kInstruments);
  for (const Instrument& instrument : config.instrument_table()) {
    instruments.store(instrument.index, row_of(instrument));
  }
  if (std::ifstream killed(kill_file(config)); killed) {
    std::uint64_t word = 0;
    killed >> word;
    // A file that cannot be read is a kill all the same.
    shm::OperatorTrip::set(config.shm_dir, kTripScopeAll, word != 0 ? word : kKillCancelAll);
    log_warn("the kill switch is still on ({}); clear it with: sluicectl resume --config {}",
             kill_file(config), config.path);
  }
  log_info("{}: {} rings, {} boards, {} pages, {} MiB, generation {}{}{}", config.shm_dir,
           layout.rings.size(), layout.boards.size(), layout.pages.size(), report.bytes >> 20,
           report.generation, report.mlocked ? ", locked" : ", not locked in memory",
           report.collapsed ? ", huge pages" : ", no huge pages");
}

int shm_create(const InstanceConfig& config, bool force) {
  create_segments(config, force);
  return 0;
}

int shm_destroy(const InstanceConfig& config, bool force) {
  const std::vector<std::string> untold = shm::inspect_layout(config.shm_dir).untold;
  for (const std::string& lost : shm::destroy_layout(config.shm_dir, force)) {
    log_warn("lost with --force: {}", lost);
  }
  warn_of_untold(untold);
  std::filesystem::remove(origin_file(config));
  log_info("{}: destroyed", config.shm_dir);
  return 0;
}

void settle_leftovers(const InstanceConfig& config) {
  const shm::LayoutState state = shm::inspect_layout(config.shm_dir);
  using Kind = shm::LayoutState::Kind;
  if (state.kind == Kind::kForeign ||
      (state.kind == Kind::kComplete && state.build_id != build_id())) {
    const std::string aside = shm::set_aside_layout(config.shm_dir);
    log_warn("{} holds segments of another build; moved to {}, nothing of it was read",
             config.shm_dir, aside);
    return;
  }
  if (state.kind != Kind::kComplete || state.undrained.empty())
    return;
  const std::string origin = read_origin(config);
  if (origin.empty() || !std::filesystem::exists(origin)) {
    const std::string aside = shm::set_aside_layout(config.shm_dir);
    log_warn("a dead run left undrained records, and its configuration is gone; moved to {}",
             aside);
    return;
  }
  log_warn("a dead run left {} undrained ring(s); draining into its journal ({})",
           state.undrained.size(), origin);
  const ExitStatus status =
      run_and_wait(binary_path("sluice-persistence"), {"--drain-only", "--config", origin});
  if (!status.ok()) {
    throw Error(ExitCode::kResource, "the leftovers in " + config.shm_dir +
                                         " could not be drained (" + status.text() +
                                         "); look at the lines above, then remove them "
                                         "with: sluicectl shm destroy --force");
  }
}

}  // namespace sluice
