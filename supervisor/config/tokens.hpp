// Where tokens begin and end in a JSON text. Inside this room only.
#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>

namespace corral::config {

/// The characters that end a number or a word.
inline constexpr std::string_view word_ends = "{}[],:;=\"/ \t\r\n";

/// Past blanks and comments from `at` on. A comment that is never closed ends at its own beginning.
[[nodiscard]] std::size_t skip_blanks(std::string_view text, std::size_t at);

/// The end of the token that begins at `at`: a bracket, a string with its quotes, or a run of other characters.
[[nodiscard]] std::size_t token_end(std::string_view text, std::size_t at);

/// The text for the parser, each run of blanks and comments outside of strings one blank. So what is a comment is
/// decided in one place, skip_blanks, and the library never gathers long blanks for an error message.
class WithoutBlanks {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  WithoutBlanks(std::string_view text, std::size_t at) : text_(text), at_(at) { look(); }

  char operator*() const { return next_ != at_ ? ' ' : text_[at_]; }
  WithoutBlanks& operator++() {
    if (next_ == at_) {
      note(text_[at_]);
      ++at_;
    } else {
      at_ = next_;
    }
    look();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const WithoutBlanks& left, const WithoutBlanks& right) { return left.at_ == right.at_; }

 private:
  void look() { next_ = in_string_ ? at_ : skip_blanks(text_, at_); }
  void note(char letter) {
    const bool quote = letter == '"' && !escaped_;
    escaped_ = in_string_ && letter == '\\' && !escaped_;
    in_string_ = in_string_ != quote;
  }

  std::string_view text_;
  std::size_t at_;        ///< Where the next character for the parser stands.
  std::size_t next_ = 0;  ///< Behind the blanks that stand there; at_ where there are none.
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace corral::config
