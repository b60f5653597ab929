// Bytes -> blocks of whole lines, with a bound: what a file of lines takes as it is, at the price of one look for the last break.
//
// A block holds whole lines, each with its line break, and is handed on as soon as its last break is there. A line that is
// longer than the bound is handed on in pieces of exactly that length, each marked as going on and without a break. Bytes are
// exact: nothing is decoded, replaced or dropped. What this must not do: read, write, know whose bytes they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/wire/line_splitter.hpp"

namespace corral::wire {

class BlockSplitter {
 public:
  /// Calls `sink(std::string_view block, bool goes_on)`. Costs no copy where the lines lie in `bytes` whole.
  template <class Sink>
  void feed(std::string_view bytes, Sink&& sink);

  /// The end: hands on what has no line break, without one.
  template <class Sink>
  void finish(Sink&& sink);

  [[nodiscard]] bool empty() const { return partial_.empty(); }

 private:
  template <class Sink>
  void split_long(std::string_view& bytes, Sink& sink);

  std::string partial_;  ///< No longer than the bound.
};

/// As long as the line that partial_ begins is longer than the bound.
template <class Sink>
void BlockSplitter::split_long(std::string_view& bytes, Sink& sink) {
  while (partial_.size() + bytes.size() > longest_line &&
         bytes.substr(0, longest_line - partial_.size() + 1).find('\n') == std::string_view::npos) {
    const std::size_t fits = longest_line - partial_.size();
    partial_.append(bytes.substr(0, fits));
    sink(std::string_view(partial_), true);
    partial_.clear();
    bytes.remove_prefix(fits);
  }
}

template <class Sink>
void BlockSplitter::feed(std::string_view bytes, Sink&& sink) {
  while (!bytes.empty()) {
    split_long(bytes, sink);
    if (!partial_.empty()) {
      const std::size_t end = bytes.find('\n');
      partial_.append(bytes.substr(0, end == std::string_view::npos ? end : end + 1));
      if (end == std::string_view::npos) {
        return;
      }
      sink(std::string_view(partial_), false);
      std::string().swap(partial_);  // Whoever once wrote a long line shall not keep its memory for ever.
      bytes.remove_prefix(end + 1);
      continue;
    }
    // Where all that there is could not hold a line beyond the bound, one look from behind is enough.
    const std::string_view look = bytes.substr(0, longest_line);
    const std::size_t last = look.rfind('\n');
    if (last != std::string_view::npos) {
      sink(look.substr(0, last + 1), false);
      bytes.remove_prefix(last + 1);
    } else if (bytes.size() <= longest_line) {
      partial_.append(bytes);
      return;
    } else {  // The line has the bound's length and its break behind it.
      sink(bytes.substr(0, longest_line + 1), false);
      bytes.remove_prefix(longest_line + 1);
    }
  }
}

template <class Sink>
void BlockSplitter::finish(Sink&& sink) {
  if (!partial_.empty()) {
    sink(std::string_view(partial_), false);
    std::string().swap(partial_);
  }
}

}  // namespace corral::wire
