// Bytes -> whole lines, with a bound.
//
// A line is handed on as soon as its line break is there, without it. One that is longer than the bound is handed on in
// pieces, each marked as going on, so that no worker can make the supervisor hold more than the bound. Bytes are
// exact: nothing is decoded, replaced or dropped. What this must not do: read, write, know whose bytes they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace corral::wire {

/// A piece of a longer line ends without a line break of its own.
inline constexpr std::size_t longest_line = std::size_t{64} * 1024;

class LineSplitter {
 public:
  /// Calls `sink(std::string_view line, bool goes_on)` for every line that `bytes` completes. Costs no allocation
  /// where a line lies in `bytes` whole.
  template <class Sink>
  void feed(std::string_view bytes, Sink&& sink);

  /// The end: hands on what has no line break.
  template <class Sink>
  void finish(Sink&& sink);

  [[nodiscard]] bool empty() const { return partial_.empty(); }

 private:
  std::string partial_;
};

template <class Sink>
void LineSplitter::feed(std::string_view bytes, Sink&& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (partial_.size() + piece.size() > longest_line) {
      const std::size_t fits = longest_line - partial_.size();
      partial_.append(piece.substr(0, fits));
      sink(std::string_view(partial_), true);
      partial_.clear();
      bytes.remove_prefix(fits);
      continue;
    }
    if (end == std::string_view::npos) {
      partial_.append(piece);
      return;
    }
    if (partial_.empty()) {
      sink(piece, false);
    } else {
      partial_.append(piece);
      sink(std::string_view(partial_), false);
      // A worker that once wrote a long line shall not keep its memory for ever.
      std::string().swap(partial_);
    }
    bytes.remove_prefix(end + 1);
  }
}

template <class Sink>
void LineSplitter::finish(Sink&& sink) {
  if (!partial_.empty()) {
    sink(std::string_view(partial_), false);
    std::string().swap(partial_);
  }
}

}  // namespace corral::wire
