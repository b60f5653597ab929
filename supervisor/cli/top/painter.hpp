// The model as lines of a screen, for any size. Pure; every text that comes from elsewhere is made harmless here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "supervisor/cli/top/model.hpp"

namespace corral::cli::top {

enum class Style : std::uint8_t { plain, strong, faint, good, warn, bad, selected, bar };

struct Span {
  Style style = Style::plain;
  std::string text;

  friend bool operator==(const Span&, const Span&) = default;
};
using Line = std::vector<Span>;

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;

  friend bool operator==(const Size&, const Size&) = default;
};

/// Exactly as many lines as the screen has, none wider than it is.
using Screen = std::vector<Line>;

struct Look {
  Size size;
  bool utf8 = true;  ///< The terminal shows more than ASCII.
};

/// How many workers can be seen in a screen of that size: what Model::fit wants to know.
[[nodiscard]] std::size_t visible_workers(Size size);

[[nodiscard]] Screen paint(const Model& model, const Look& look);

/// A line without its styles.
[[nodiscard]] std::string text_of(const Line& line);

}  // namespace corral::cli::top
