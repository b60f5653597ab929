// What the members of a request's body say, each taken once: one that nobody has taken is a mistake.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "supervisor/control/request.hpp"

namespace corral::control {

class Members {
 public:
  /// `object`: an object.
  explicit Members(nlohmann::json object) : object_(std::move(object)) {}

  /// Whether it is there, and has not been taken.
  [[nodiscard]] bool has(const char* name) const { return object_.contains(name); }

  [[nodiscard]] std::optional<nlohmann::json> take(const char* name);

  /// For truths and strings. `what` says in the refusal what it has to be: "true or false".
  template <class T>
  [[nodiscard]] std::expected<T, Refusal> take_or(const char* name, T otherwise, const char* what) {
    const std::optional<nlohmann::json> value = take(name);
    if (!value) {
      return otherwise;
    }
    const bool fits = std::is_same_v<T, bool> ? value->is_boolean() : value->is_string();
    if (!fits) {
      return std::unexpected(Refusal{400, fmt::format("'{}' is {}", name, what), {}});
    }
    return value->template get<T>();
  }

  /// Names the first that nobody has taken, and what was probably meant.
  [[nodiscard]] std::optional<Refusal> left_over() const;

 private:
  nlohmann::json object_;
  std::vector<std::string> known_;
};

}  // namespace corral::control
