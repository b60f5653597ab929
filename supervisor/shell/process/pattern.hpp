// Text with the placeholders {index} {workers} {program} {cores}, parsed once and filled in for each launch.
//
// `{{index}}` is a literal `{index}`; every other brace is literal, so that shell and Python code passes untouched.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace corral::process {

/// What a worker's placeholders stand for.
struct PlaceholderValues {
  std::string_view index;
  std::string_view workers;
  std::string_view program;
  std::string_view cores;
};

class Pattern {
 public:
  Pattern() = default;
  explicit Pattern(std::string_view text);

  [[nodiscard]] bool fixed() const { return holes_.empty(); }
  [[nodiscard]] bool empty() const { return text_.empty() && holes_.empty(); }
  /// The text of a fixed pattern. Its c_str() lives as long as the pattern.
  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] std::size_t rendered_size(const PlaceholderValues& values) const;
  void append_to(std::string& out, const PlaceholderValues& values) const;

 private:
  enum class Name : std::uint8_t { index, workers, program, cores };
  struct Hole {
    std::size_t at;  ///< Before this character of text_.
    Name name;
  };
  static std::string_view value(const PlaceholderValues& values, Name name);

  std::string text_;
  std::vector<Hole> holes_;
};

}  // namespace corral::process
