// What the members of a request's body say, each taken once: one that nobody has taken is a mistake. Inside this room only.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
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

  /// Of a bool or a std::string. `what` says in the refusal what it has to be: "true or false".
  template <class T>
  [[nodiscard]] std::expected<T, Refusal> take_or(const char* name, T otherwise, const char* what);

  /// Names the first that nobody has taken, and what was probably meant.
  [[nodiscard]] std::optional<Refusal> left_over() const;

 private:
  nlohmann::json object_;
  std::vector<std::string> known_;
};

}  // namespace corral::control
