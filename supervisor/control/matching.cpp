#include "supervisor/control/matching.hpp"

#include <algorithm>

namespace corral::control {

std::optional<std::string_view> named_in(std::string_view path, std::string_view route) {
  const std::size_t begin = route.find('{');
  if (begin == std::string_view::npos) {
    return path == route ? std::optional(std::string_view()) : std::nullopt;
  }
  const std::string_view parts = route.substr(begin, route.rfind('}') + 1 - begin);
  const std::string_view end = route.substr(begin + parts.size());
  if (path.size() <= begin + end.size() || !path.starts_with(route.substr(0, begin)) || !path.ends_with(end)) {
    return std::nullopt;
  }
  const std::string_view named = path.substr(begin, path.size() - begin - end.size());
  const bool fits =
      std::ranges::count(named, '/') == std::ranges::count(parts, '/') && !named.starts_with('/') && !named.ends_with('/');
  return fits ? std::optional(named) : std::nullopt;
}

bool same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  return same_word(type, "application/json");
}

}  // namespace corral::control
