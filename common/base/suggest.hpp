// "did you mean …?"
#pragma once

#include <span>
#include <string_view>

namespace corral {

/// The candidate that `word` is most likely a misspelling of, or empty where none is near: at most a third of its
/// letters (at least one) are wrong, missing, extra or swapped with a neighbour. Case does not count.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace corral
