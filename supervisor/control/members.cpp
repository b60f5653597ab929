#include "supervisor/control/members.hpp"

#include <fmt/format.h>

#include <string_view>
#include <type_traits>

#include "common/base/suggest.hpp"

namespace corral::control {

std::optional<nlohmann::json> Members::take(const char* name) {
  known_.emplace_back(name);
  const auto found = object_.find(name);
  if (found == object_.end()) {
    return std::nullopt;
  }
  nlohmann::json value = std::move(*found);
  object_.erase(found);
  return value;
}

template <class T>
std::expected<T, Refusal> Members::take_or(const char* name, T otherwise, const char* what) {
  const std::optional<nlohmann::json> value = take(name);
  if (!value) {
    return otherwise;
  }
  const bool fits = std::is_same_v<T, bool> ? value->is_boolean() : value->is_string();
  if (!fits) {
    return std::unexpected(Refusal{400, fmt::format("'{}' is {}", name, what), {}});
  }
  return value->get<T>();
}
template std::expected<bool, Refusal> Members::take_or(const char* name, bool otherwise, const char* what);
template std::expected<std::string, Refusal> Members::take_or(const char* name, std::string otherwise, const char* what);

std::optional<Refusal> Members::left_over() const {
  if (object_.empty()) {
    return std::nullopt;
  }
  const std::string& name = object_.items().begin().key();
  const std::string_view near = nearest(name, std::vector<std::string_view>(known_.begin(), known_.end()));
  return Refusal{
      400, fmt::format("there is no '{}' here{}", name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)), {}};
}

}  // namespace corral::control
