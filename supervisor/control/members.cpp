#include "supervisor/control/members.hpp"

#include <string_view>

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
