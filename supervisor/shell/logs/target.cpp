#include "supervisor/shell/logs/target.hpp"

namespace corral::logs {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

bool is_shared(const core::LogSpec& spec) { return spec.file.find("{index}") == std::string::npos; }

std::string path_for(const core::LogSpec& spec, std::string_view program, std::uint32_t index, bool err) {
  std::string path = spec.file;
  replace_all(path, "{program}", program);
  replace_all(path, "{index}", std::to_string(index));
  if (err) {
    const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0.
    const std::size_t dot = path.rfind('.');
    path.insert(dot != std::string::npos && dot > name ? dot : path.size(), ".stderr");
  }
  return path;
}

SplitPath split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {".", std::string(path)};
  }
  return {slash == 0 ? "/" : std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

}  // namespace corral::logs
