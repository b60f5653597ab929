// What a terminal sends when keys are pressed, as keys. Pure: bytes go in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace corral::cli::top {

struct Key {
  enum class Kind : std::uint8_t { text, up, down, page_up, page_down, home, end, enter, escape, backspace };
  Kind kind = Kind::text;
  std::string text{};  ///< One character, of kind text.

  friend bool operator==(const Key&, const Key&) = default;
};

class KeyReader {
 public:
  /// Appends the keys that are complete.
  void read(std::string_view bytes, std::vector<Key>& keys);

  /// What was read could be the beginning of a sequence, or the Escape key alone: settle() after a moment of silence.
  [[nodiscard]] bool undecided() const { return !pending_.empty(); }
  void settle(std::vector<Key>& keys);

 private:
  /// Bytes taken from the front of pending_; 0: more are needed.
  [[nodiscard]] std::size_t take(std::vector<Key>& keys) const;
  [[nodiscard]] std::size_t take_sequence(std::vector<Key>& keys) const;

  std::string pending_;
};

}  // namespace corral::cli::top
