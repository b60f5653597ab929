// The results file beside a state: it holds what the state's rows say, in their order, and nothing else.
//
// Rows are committed first and written here afterwards. So whenever everything is killed this holds the beginning of what the
// rows say, cut off anywhere; expect() walks along it and writes what is missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace corral::state {

class ResultsFile {
 public:
  /// `fd`: a regular file, open for reading and writing; the caller's. `name` is for messages.
  ResultsFile(int fd, std::string name);

  /// The next that it should hold. Fails where it holds something else.
  [[nodiscard]] Result<void> expect(std::string_view bytes);
  /// That was all: fails where it holds more. From here on write().
  [[nodiscard]] Result<void> end_of_expected();
  /// Bytes that were missing.
  [[nodiscard]] std::uint64_t mended() const { return mended_; }

  [[nodiscard]] Result<void> write(std::string_view bytes);

 private:
  [[nodiscard]] Result<std::string_view> read_ahead();
  [[nodiscard]] Result<void> stand_for_nothing(std::uint64_t at);
  [[nodiscard]] Error other_content(std::uint64_t at) const;

  int fd_;
  std::string name_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t offset_ = 0;  ///< Of what comes after buffer_; while writing, of what comes next.
  bool at_end_ = false;       ///< Nothing more is in it: what is expected is written.
  std::uint64_t mended_ = 0;
};

}  // namespace corral::state
