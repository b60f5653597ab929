#include "supervisor/shell/state/results_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <string>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "tests/unit/state/temporary_folder.hpp"

using namespace corral;
using corral::state::ResultsFile;

namespace {

const std::vector<std::string> lines{"first\n", "", "the second\n", "3\n"};
const std::string whole = "first\nthe second\n3\n";

/// What becomes of a file with this content where the state knows `lines`; the error, if there is one.
struct Outcome {
  std::string content;
  std::string error;
  std::uint64_t mended = 0;
};

Outcome hold_to_lines(const std::string& content) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  write_file(path, content);
  const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ResultsFile file(fd.get(), "'out'");
  Result<void> going;
  for (const std::string& line : lines) {
    going = going ? file.expect(line) : going;
  }
  going = going ? file.end_of_expected() : going;
  if (going) {
    going = file.write("next\n");
  }
  return {read_file(path), going ? "" : going.error().message, file.mended()};
}

}  // namespace

TEST_CASE("a results file that was cut off anywhere is made whole, and goes on there") {
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    CAPTURE(size);
    const Outcome outcome = hold_to_lines(whole.substr(0, size));
    CHECK(outcome.error.empty());
    CHECK(outcome.content == whole + "next\n");
    CHECK(outcome.mended == whole.size() - size);
  }
}

TEST_CASE("zeros where a loss of power has left nothing else are no content") {
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    CAPTURE(size);
    for (const std::size_t zeros : {std::size_t{1}, whole.size() - size, std::size_t{1000}}) {
      const Outcome outcome = hold_to_lines(whole.substr(0, size) + std::string(zeros, '\0'));
      CHECK(outcome.error.empty());
      CHECK(outcome.content == whole + "next\n");
    }
  }
}

TEST_CASE("a results file that says something else is refused and stays as it is") {
  for (std::size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string edited = whole;
    edited[at] = '#';
    const Outcome outcome = hold_to_lines(edited);
    CHECK(outcome.content == edited);
    CHECK(outcome.error.find("from byte " + std::to_string(at) + " on") != std::string::npos);
    CHECK(outcome.error.find("move it away") != std::string::npos);
  }
  const Outcome longer = hold_to_lines(whole + "more\n");
  CHECK(longer.content == whole + "more\n");
  CHECK(longer.error.find("from byte 19 on") != std::string::npos);
}

TEST_CASE("a file of more than one block is compared to its end") {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  const std::string line(100'001, 'x');
  for (const bool edited : {false, true}) {
    std::string content;
    for (int count = 0; count < 10; ++count) {
      content += line;
    }
    if (edited) {
      content[900'000] = 'y';
    }
    write_file(path, content);
    const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    ResultsFile file(fd.get(), "'out'");
    Result<void> going;
    for (int count = 0; count < 12; ++count) {
      going = going ? file.expect(line) : going;
    }
    CHECK(going.has_value() == !edited);
    CHECK(read_file(path).size() == (edited ? 10 : 12) * line.size());
  }
}
