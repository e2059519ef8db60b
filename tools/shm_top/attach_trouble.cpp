#include "tools/shm_top/attach_trouble.hpp"

#include <filesystem>

#include "tools/shm_top/text.hpp"

namespace sluice::top {

std::string attach_trouble(const std::string& dir, const Error& error) {
  const std::string text(without_folder(dir, error.what()));
  // The words of an attach begin with the file. It calls a file that is not there "not yet", for it
  // may have come too early; whoever attached the control segment has not.
  const std::string file = text.substr(0, text.find(':'));
  std::error_code ignored;  // whatever is wrong: the error tells it
  if (file.size() < text.size() && !std::filesystem::exists(dir + '/' + file, ignored))
    return printable(file) + " is missing";
  return printable(text);
}

}  // namespace sluice::top
