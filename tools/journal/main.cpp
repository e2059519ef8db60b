// sluice-journal: looks into a journal, of a running instance, a stopped or a dead one. Reads only.
#include <CLI/CLI.hpp>

#include "common/base/error.hpp"
#include "common/runtime/version.hpp"
#include "tools/journal/commands.hpp"
#include "tools/journal/describe.hpp"

namespace {

int body(int argc, char** argv) {
  using namespace sluice::journal_tool;
  CLI::App app(
      "Checks and prints a Sluice journal: the append-only record of everything an instance did.",
      "sluice-journal");
  app.set_version_flag("--version", sluice::version_text());
  app.require_subcommand(1);

  VerifyOptions verify_options;
  auto* const verify_command = app.add_subcommand(
      "verify",
      "Read every byte: CRCs, chain of segments, positions, each tap exactly once (exit 0 or 1)");
  verify_command->add_option("dir", verify_options.dir, "journal folder")->required();
  verify_command->add_flag("--json", verify_options.json, "one JSON object on stdout");
  verify_command->add_flag("--no-gaps", verify_options.no_gaps,
                           "fail when taps were lost, also if it was told");

  CatOptions cat_options;
  auto* const cat_command = app.add_subcommand("cat", "Print one line per tap");
  cat_command->add_option("dir", cat_options.dir, "journal folder")->required();
  cat_command->add_option("--type", cat_options.types, "only these: " + all_tap_type_names())
      ->delimiter(',');
  cat_command->add_option("--ring", cat_options.rings, "only from these rings, as exec.persistence")
      ->delimiter(',');
  cat_command->add_option("--from", cat_options.from, "first position");
  cat_command->add_option("--to", cat_options.to, "last position");
  cat_command->add_flag("--json", cat_options.json, "one JSON object per line");

  StatOptions stat_options;
  auto* const stat_command = app.add_subcommand("stat", "Count what is in the journal");
  stat_command->add_option("dir", stat_options.dir, "journal folder")->required();
  stat_command->add_flag("--json", stat_options.json, "one JSON object on stdout");

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
  return stat(stat_options, stdout);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-journal", body, argc, argv);
}
