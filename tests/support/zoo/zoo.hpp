// A worker with every bad habit that a supervisor has to live with. For tests only.
//
// Its command line is a list of verbs, each with its words, separated by "+" and done in turn:
//   zoo line hello + double-fork setsid + ignore TERM + hang
// After the last one it exits with status 0. Knows nothing of corral but the names of its variables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zoo {

/// The words after a verb. A missing one is a mistake in the test: said on stderr, status 98.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}
  [[nodiscard]] const std::string& text(std::size_t at) const;
  [[nodiscard]] std::string text_or(std::size_t at, std::string_view otherwise) const;
  [[nodiscard]] long integer(std::size_t at) const;
  [[nodiscard]] int signal(std::size_t at) const;

 private:
  std::vector<std::string> words_;
};

[[noreturn]] void mistake(std::string_view what);

/// One write to `fd`, as whole as the kernel takes it.
void put(int fd, std::string_view text);
[[noreturn]] void hang();

/// Does what the verb says; false where there is no such verb.
bool perform(std::string_view verb, const Words& words);

/// What this process is and has, as one JSON object.
[[nodiscard]] std::string report();

}  // namespace zoo
