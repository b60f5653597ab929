#include "supervisor/shell/logs/marks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <string_view>

#include "common/base/file_descriptor.hpp"
#include "common/base/trusted_folder.hpp"
#include "supervisor/shell/logs/target.hpp"

namespace corral::logs {
namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20U;  // A year of seconds is not more than ten times that.

std::string marks_path(const std::string& path) {
  const SplitPath split = split_path(path);
  return split.folder + "/" + marks_name(split.name);
}

std::string read_file(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  std::string text;
  std::size_t used = 0;
  ssize_t got = fd ? 1 : 0;
  while (got > 0 && used < most_bytes) {
    text.resize(used + std::size_t{64} * 1024);
    got = ::read(fd.get(), text.data() + used, text.size() - used);
    used += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  text.resize(used);
  return text;
}

}  // namespace

std::string marks_name(const std::string& name) { return "." + name + ".times"; }

void append_mark(const std::string& path, Mark mark, bool afresh) {
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  const SplitPath split = split_path(path);
  const Result<FileDescriptor> folder = open_trusted_folder(split.folder, false);
  const FileDescriptor fd(folder ? ::openat(folder->get(), marks_name(split.name).c_str(), flags | (afresh ? O_TRUNC : 0), 0640)
                                 : -1);
  if (fd) {
    ::dprintf(fd.get(), "%" PRId64 " %" PRIu64 "\n", mark.time_ms, mark.offset);
  }
}

std::vector<Mark> read_marks(const std::string& path) {
  const std::string text = read_file(marks_path(path));
  std::vector<Mark> marks;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const std::size_t blank = line.find(' ');
    Mark mark;
    if (blank == std::string_view::npos || end == std::string_view::npos) {
      continue;
    }
    const auto time = std::from_chars(line.data(), line.data() + blank, mark.time_ms);
    const auto offset = std::from_chars(line.data() + blank + 1, line.data() + line.size(), mark.offset);
    const bool good = time.ec == std::errc{} && offset.ec == std::errc{};
    if (good && (marks.empty() || mark.offset >= marks.back().offset)) {
      marks.push_back(mark);
    }
  }
  return marks;
}

}  // namespace corral::logs
