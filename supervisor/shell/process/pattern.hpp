// Text with the placeholders {index} {workers} {program} {cores}, parsed once and filled in for each launch.
//
// Where each launch is for one task there are also {} (the task) {#} (its number) and {worker} (the same as {index}).
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
  std::string_view task = {};  ///< Of a launch that is for one task: its text, and its number.
  std::string_view task_number = {};
};

class Pattern {
 public:
  Pattern() = default;
  explicit Pattern(std::string_view text, bool with_task = false);

  [[nodiscard]] bool fixed() const { return holes_.empty(); }
  [[nodiscard]] bool empty() const { return text_.empty() && holes_.empty(); }
  /// The text of a fixed pattern. Its c_str() lives as long as the pattern.
  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] std::size_t rendered_size(const PlaceholderValues& values) const;
  void append_to(std::string& out, const PlaceholderValues& values) const;

 private:
  enum class Name : std::uint8_t { index, workers, program, cores, task, task_number };
  struct Hole {
    std::size_t at;  ///< Before this character of text_.
    Name name;
  };
  static std::string_view value(const PlaceholderValues& values, Name name);

  std::string text_;
  std::vector<Hole> holes_;
};

}  // namespace corral::process
