// What stands behind the '?' of a target: parameters, each of which somebody has to take.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/control/request.hpp"

namespace corral::control {

/// Decimal digits and nothing else.
[[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view text);

class Query {
 public:
  /// Refuses what is not percent-encoded as RFC 3986 has it; '+' is a space, as forms have it.
  [[nodiscard]] static std::expected<Query, Refusal> read(std::string_view target);

  /// All of that name, in their order.
  [[nodiscard]] std::vector<std::string> take_all(std::string_view name);
  /// Nothing where there is none. The last one where it is said more than once.
  [[nodiscard]] std::optional<std::string> take(std::string_view name);
  [[nodiscard]] std::expected<std::optional<std::uint64_t>, Refusal> take_number(std::string_view name);
  [[nodiscard]] std::expected<bool, Refusal> take_flag(std::string_view name);

  /// What nobody has taken is a mistake.
  [[nodiscard]] std::optional<Refusal> left_over() const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::vector<std::string> known_;
};

}  // namespace corral::control
