// Collects what is wrong while a text is read, and makes Diagnostics of it at the end.
//
// Inside this room only. Bounded: a file that is wrong everywhere is not worth a million messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/config/diagnostic.hpp"
#include "supervisor/config/value.hpp"

namespace corral::config {

inline constexpr std::size_t most_shown_diagnostics = 100;

class Report {
 public:
  Report(std::string_view file, std::string_view text) : file_(file), text_(text) {}

  void add(Range where, std::string message, std::string suggestion = {}) {
    note({where, {}, std::move(message), std::move(suggestion), false});
  }
  /// For a rule that a JSON Schema cannot state.
  void add_beyond_schema(Range where, std::string message, std::string suggestion = {}) {
    note({where, {}, std::move(message), std::move(suggestion), true});
  }
  /// Where there is no tree to find the pointer in.
  void add_at(std::string pointer, Range where, std::string message, std::string suggestion = {}) {
    note({where, std::move(pointer), std::move(message), std::move(suggestion), false});
  }

  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] std::size_t count() const { return problems_.size() + dropped_; }
  /// No further message will be kept: do not bother to compose one.
  [[nodiscard]] bool full() const { return problems_.size() >= most_kept; }
  [[nodiscard]] std::string_view text() const { return text_; }

  /// Sorted by place, at most most_shown_diagnostics; where there are more, one more says how many.
  [[nodiscard]] std::vector<Diagnostic> diagnostics(const Value* root);

 private:
  static constexpr std::size_t most_kept = 1000;

  struct Problem {
    Range where;
    std::string pointer;
    std::string message;
    std::string suggestion;
    bool beyond_schema = false;
  };
  void note(Problem problem);

  std::string_view file_;
  std::string_view text_;
  std::vector<Problem> problems_;
  std::size_t dropped_ = 0;
};

}  // namespace corral::config
