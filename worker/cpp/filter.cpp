#include "worker/cpp/filter.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/base/text.hpp"
#include "worker/cpp/fault.hpp"
#include "worker/cpp/forks.hpp"

namespace corral::worker {
namespace {

constexpr std::size_t read_size = std::size_t{64} << 10U;

/// Appends what one read gives. False at the end of stdin, or where it cannot be read.
bool read_more(std::string& input) {
  const std::size_t before = input.size();
  input.resize(before + read_size);
  ssize_t size = 0;
  do {
    size = read(STDIN_FILENO, input.data() + before, read_size);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    std::perror("corral::worker: cannot read stdin");
  }
  input.resize(before + (size > 0 ? static_cast<std::size_t>(size) : 0));
  return size > 0;
}

}  // namespace

int Filter::run() {
  std::string input;
  while (!broken_ && read_more(input)) {
    take_lines(input, false);
  }
  take_lines(input, true);
  return failed_ || broken_ ? 1 : 0;
}

void Filter::take_lines(std::string& input, bool last) {
  std::string_view rest = input;
  // A long line comes in many pieces: only the newest can have the break that all before it lacked.
  std::size_t from = rest.size() - std::min(rest.size(), read_size);
  for (std::size_t end = rest.find('\n', from); end != std::string_view::npos && !broken_; end = rest.find('\n')) {
    work(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  if (last && !rest.empty() && !broken_) {
    work(rest);
    rest = {};
  }
  static_cast<void>(write_out());
  input.erase(0, input.size() - rest.size());
}

void Filter::work(std::string_view line) {
  const std::uint64_t id = next_++;
  try {
    Task task(*this, id, line);
    call_(handler_, task, *this);
  } catch (...) {
    end_if_forked();
    const Fault fault = current_fault();
    failed_ = true;
    std::string text = "task " + std::to_string(id) + ": ";
    append_printable(text, fault.type + ": " + fault.message);
    static_cast<void>(write_out());  // What was before it is seen before it.
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

void Filter::answer(std::uint64_t /*id*/, std::string_view result) {
  end_if_forked();
  const std::size_t at = output_.size();
  output_ += result;
  std::replace(output_.begin() + static_cast<std::ptrdiff_t>(at), output_.end(), '\n', ' ');
  output_ += '\n';
  if (output_.size() >= read_size) {
    static_cast<void>(write_out());
  }
}

bool Filter::write_out() {
  std::string_view rest = output_;
  while (!rest.empty() && !broken_) {
    const ssize_t size = write(STDOUT_FILENO, rest.data(), rest.size());
    if (size > 0) {
      rest.remove_prefix(static_cast<std::size_t>(size));
    } else if (size < 0 && errno != EINTR) {
      std::perror("corral::worker: cannot write stdout");
      broken_ = true;
    }
  }
  output_.clear();
  return !broken_;
}

}  // namespace corral::worker
