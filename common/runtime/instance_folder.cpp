#include "common/runtime/instance_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "common/base/error.hpp"
#include "shm/layout.hpp"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// A dot stands in no instance's name: such folders are locks of `up`, or layouts that were set
// aside.
std::vector<std::string> instances_below(const std::string& root) {
  std::vector<std::string> names;
  std::error_code failure;  // no such folder: no instances
  for (fs::directory_iterator entry(root, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;  // vanished meanwhile: no folder
    if (name.find('.') == name.npos && entry->is_directory(ignored) &&
        shm::inspect_layout(entry->path().string()).kind != shm::LayoutState::Kind::kNone)
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string only_instance(const std::string& root) {
  const std::vector<std::string> names = instances_below(root);
  if (names.size() == 1)
    return root + "/" + names.front();
  std::string listed;
  for (const std::string& name : names)
    listed += (listed.empty() ? "" : ", ") + name;
  throw Error(ExitCode::kUsage, names.empty()
                                    ? "no instance stands in " + root +
                                          "; name its folder with --dir, or its file with --config"
                                    : "several instances stand in " + root + " (" + listed +
                                          "); choose one with --dir " + root + "/NAME");
}

}  // namespace

std::string instance_folder(const InstanceChoice& choice) {
  if (!choice.dir.empty() && !choice.config.empty())
    throw Error(ExitCode::kUsage, "--dir and --config both name an instance; give one of them");
  if (!choice.config.empty())
    return load_instance_config(choice.config).shm_dir;
  if (choice.dir.empty())
    return only_instance(choice.root);
  std::error_code ignored;  // whatever is wrong: no folder that can be read
  if (!fs::is_directory(choice.dir, ignored))
    throw Error(ExitCode::kResource,
                choice.dir + ": no such folder; an instance's segments stand in " + choice.root +
                    "/NAME unless its configuration says otherwise");
  return choice.dir;
}

}  // namespace sluice
