// sluice-journal: looks into a journal, of a running instance, a stopped or a dead one. Reads only.
#include <CLI/CLI.hpp>

#include "common/base/error.hpp"
#include "common/describe/records.hpp"
#include "common/runtime/version.hpp"
#include "tools/journal/commands.hpp"

namespace {

using namespace sluice::journal_tool;

// Each adds its subcommand and says what runs it.
CLI::App* add_verify(CLI::App& app, VerifyOptions& options) {
  auto* const command = app.add_subcommand(
      "verify",
      "Read every byte: CRCs, chain of segments, positions, each tap exactly once (exit 0 or 1)");
  command->add_option("dir", options.dir, "journal folder")->required();
  command->add_flag("--json", options.json, "one JSON object on stdout");
  command->add_flag("--no-gaps", options.no_gaps, "fail when taps were lost, also if it was told");
  return command;
}

CLI::App* add_cat(CLI::App& app, CatOptions& options) {
  auto* const command = app.add_subcommand("cat", "Print one line per tap");
  command->add_option("dir", options.dir, "journal folder")->required();
  command->add_option("--type", options.types, "only these: " + sluice::all_tap_type_names())
      ->delimiter(',');
  command->add_option("--ring", options.rings, "only from these rings, as exec.persistence")
      ->delimiter(',');
  command->add_option("--from", options.from, "first position");
  command->add_option("--to", options.to, "last position");
  command->add_flag("--json", options.json, "one JSON object per line");
  return command;
}

CLI::App* add_stat(CLI::App& app, StatOptions& options) {
  auto* const command = app.add_subcommand("stat", "Count what is in the journal");
  command->add_option("dir", options.dir, "journal folder")->required();
  command->add_flag("--json", options.json, "one JSON object on stdout");
  return command;
}

CLI::App* add_compare(CLI::App& app, CompareOptions& options) {
  auto* const command = app.add_subcommand(
      "compare",
      "Compare the database with the journal it was folded from, row by row (exit 0 or 1).\n"
      "It folds the journal anew, in one go, by the code that wrote the database. So it proves "
      "that "
      "each record was applied exactly once and in order, through restarts, kills and trouble, and "
      "that nobody changed a row since. It does not prove the fold itself: a rule that is wrong is "
      "wrong on both sides (tests/e2e/database_check.py derives the rows on its own).");
  command->add_option("dir", options.dir, "journal folder")->required();
  command->add_option("--db", options.db,
                      "database file; default: sluice.db beside the journal folder");
  command->add_flag("--complete", options.complete, "fail when the database is behind the journal");
  command->add_flag("--json", options.json, "one JSON object on stdout");
  return command;
}

CLI::App* add_trace(CLI::App& app, TraceOptions& options) {
  auto* const command = app.add_subcommand(
      "trace",
      "Follow one fill, or one order, back to its tick: each hop's time (exit 0, or 1 when a part "
      "of the way is not in the journal)");
  command->add_option("dir", options.dir, "journal folder")->required();
  auto* const which = command->add_option_group("which", "one of");
  which->add_option("--execution", options.execution,
                    "the venue's execution id, or the gateway's event n.sub");
  which->add_option("--order", options.order,
                    "a client order id (slc-demo-5-1-77) or an intent (5-1-77)");
  which->add_flag("--last", options.last, "the last fill in the journal");
  which->require_option(1);
  command->add_option("--db", options.db,
                      "where the names of symbols and strategies come from; default: sluice.db "
                      "beside the journal folder");
  command->add_flag("--json", options.json, "one JSON object on stdout");
  return command;
}

constexpr const char* kFooter =
    "Examples:\n"
    "  sluice-journal verify  run/journal\n"
    "  sluice-journal cat     run/journal --type execution,verdict --json\n"
    "  sluice-journal compare run/journal --complete\n"
    "  sluice-journal trace   run/journal --last\n"
    "Works on the journal of a running instance, of a stopped and of a killed one.\n"
    "Exit codes: 0 in order, 1 a check failed, 64 command line, 73 cannot be read.";

int body(int argc, char** argv) {
  CLI::App app(
      "Checks and prints a Sluice journal: the append-only record of everything an instance did.",
      "sluice-journal");
  app.set_version_flag("--version", sluice::version_text());
  app.require_subcommand(1);
  app.footer(kFooter);
  VerifyOptions verify_options;
  CatOptions cat_options;
  StatOptions stat_options;
  CompareOptions compare_options;
  TraceOptions trace_options;
  const CLI::App* const verify_command = add_verify(app, verify_options);
  const CLI::App* const cat_command = add_cat(app, cat_options);
  const CLI::App* const stat_command = add_stat(app, stat_options);
  const CLI::App* const compare_command = add_compare(app, compare_options);
  add_trace(app, trace_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help ends with 0; everything else is the caller's mistake, already printed.
    return app.exit(error) == 0 ? 0 : static_cast<int>(sluice::ExitCode::kUsage);
  }
  if (verify_command->parsed())
    return verify(verify_options, stdout);
  if (cat_command->parsed())
    return cat(cat_options, stdout);
  if (stat_command->parsed())
    return stat(stat_options, stdout);
  if (compare_command->parsed())
    return compare(compare_options, stdout);
  return trace(trace_options, stdout);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-journal", body, argc, argv);
}
