// Expected failure, as a value.
//
// A function that can fail for a reason outside the program returns Result<T>. The text of an Error is written for a
// person and follows one form: "cannot open config 'x': No such file or directory". A broken promise of our own is not
// an Error: that is what CORRAL_CHECK (check.hpp) is for.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace corral {

struct Error {
  std::string message;   ///< One sentence: what failed and why. No full stop, no line break.
  int error_number = 0;  ///< The errno behind it; 0 where there was none.

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// "cannot open 'x': No such file or directory", with the errno kept.
[[nodiscard]] Error system_error(std::string_view what, int error_number);

/// A failure without an errno.
[[nodiscard]] inline std::unexpected<Error> failure(std::string message) { return std::unexpected(Error{std::move(message), 0}); }

[[nodiscard]] inline std::unexpected<Error> system_failure(std::string_view what, int error_number) {
  return std::unexpected(system_error(what, error_number));
}

}  // namespace corral
