// A JSON document as a tree of values that know where they stand in the text.
//
// Inside this room only. The tree is at most deepest levels deep, so walking it by recursion is safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace corral::config {

inline constexpr std::size_t deepest = 64;
inline constexpr std::size_t most_values = 500'000;

enum class Kind : std::uint8_t { null, boolean, integer, real, string, list, object };

/// Bytes [begin, end) of the text.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct Value {
  Kind kind = Kind::null;
  bool truth = false;        ///< Of a boolean.
  std::int64_t integer = 0;  ///< Of an integer; one that does not fit is a real.
  double real = 0;           ///< Of a real.
  std::string text;          ///< Of a string, escapes resolved.
  std::vector<Value> parts;  ///< Of a list or an object, in the order of the file.
  Range range;               ///< Quotes and brackets included.
  std::string key;           ///< Under which it stands in an object.
  Range key_range;           ///< Quotes included; empty where there is no key.

  [[nodiscard]] const Value* find(std::string_view name) const;
};

/// "a string", "a list", "a number", "null", for "expected …, found …".
[[nodiscard]] std::string_view name(Kind kind);

/// The JSON pointer of the value (or key) that covers the byte `at`; of the innermost one.
[[nodiscard]] std::string pointer_to(const Value& root, std::size_t at);

/// The value that a JSON pointer leads to, or the nearest one on the way that exists. `whole` tells which.
struct Found {
  const Value* value = nullptr;
  bool whole = false;
};
[[nodiscard]] Found follow(const Value& root, std::string_view pointer);

/// Where in `text` the byte `index` of a string value's text was written, escapes taken into account.
[[nodiscard]] std::size_t place_in_string(std::string_view text, const Value& value, std::size_t index);

/// One step of a JSON pointer: "~" and "/" written as "~0" and "~1".
[[nodiscard]] std::string pointer_step(std::string_view key);

}  // namespace corral::config
