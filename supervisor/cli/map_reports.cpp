#include "supervisor/cli/map_reports.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/base/units.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/map_files.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/supervise.hpp"
#include "supervisor/shell/process/pattern.hpp"
#include "supervisor/shell/tasks/visit_tasks.hpp"

namespace corral::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

/// As a shell reads it back: untouched where nothing in it means anything to one.
std::string shell_quoted(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
    return word;
  }
  std::string out = "'";
  for (const char c : word) {
    c == '\'' ? out += "'\\''" : out += c;
  }
  return out += '\'';
}

/// What only a launch decides stays as it is written.
std::string command_for(const std::vector<std::string>& command, const shell::InputLine& task) {
  const std::string number = std::to_string(task.number);
  const process::PlaceholderValues values{"{worker}", "{workers}", "map", "{cores}", task.bytes, number};
  std::vector<std::string> words;
  for (const std::string& word : command) {
    std::string text;
    process::Pattern(word, true).append_to(text, values);
    words.push_back(shell_quoted(text));
  }
  return joined(words) + "\n";
}

std::string quoted_command(const std::vector<std::string>& command) {
  std::vector<std::string> words;
  std::ranges::transform(command, std::back_inserter(words), shell_quoted);
  return joined(words);
}

/// To the end of its last whole line: behind that the next is written.
bool go_to_end_of_lines(int file) {
  std::array<char, 64UL * 1024> bytes;  // NOLINT: filled by pread.
  off_t end = ::lseek(file, 0, SEEK_END);
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(bytes.size()));
    const ssize_t count = ::pread(file, bytes.data(), static_cast<std::size_t>(end - begin), begin);
    if (count <= 0) {
      return false;
    }
    const std::size_t newline = std::string_view(bytes.data(), static_cast<std::size_t>(count)).rfind('\n');
    if (newline != std::string_view::npos) {
      end = begin + static_cast<off_t>(newline) + 1;
      break;
    }
    end = begin;
  }
  return ::ftruncate(file, end) == 0 && ::lseek(file, end, SEEK_SET) == end;
}

bool is_regular(int file) {
  struct stat status{};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

struct Report {
  std::string path;
  std::string_view what;
  std::optional<shell::ReportPlace>& place;
  bool goes_on = false;  ///< What stands in it stays.
};

Result<FileDescriptor> open_report(const Report& report, const std::vector<int>& others) {
  const auto& [path, what, place, goes_on] = report;
  constexpr mode_t mode = 0666;
  FileDescriptor file(::open(path.c_str(), (goes_on ? O_RDWR : O_WRONLY) | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, mode));
  if (!file && errno == ENXIO) {
    return failure(fmt::format("cannot open '{}' for {}: nobody reads this FIFO", path, what));
  }
  if (!file) {
    return system_failure(fmt::format("cannot open '{}' for {}", path, what), errno);
  }
  if (std::ranges::any_of(others, [&](int other) { return same_file(file.get(), other); })) {
    return failure(fmt::format(
        "'{}' cannot be the file for {}: tasks, results, the state or another report are in it; name another one", path, what));
  }
  if (goes_on && is_regular(file.get())) {
    return go_to_end_of_lines(file.get()) ? Result<FileDescriptor>(std::move(file))
                                          : system_failure(fmt::format("cannot go on in '{}' for {}", path, what), errno);
  }
  if (::ftruncate(file.get(), 0) != 0 && errno != EINVAL) {  // EINVAL: a FIFO or a device.
    return system_failure(fmt::format("cannot empty '{}' for {}", path, what), errno);
  }
  return file;
}

std::vector<FileDescriptor> files_of_state(const std::string& state) {
  std::vector<FileDescriptor> files;
  for (const char* more : {"", "-wal", "-shm"}) {
    // With O_PATH alone: to close another descriptor of it would end the locks of SQLite.
    FileDescriptor file(state.empty() ? -1 : ::open((state + more).c_str(), O_PATH | O_CLOEXEC));
    if (file) {
      files.push_back(std::move(file));
    }
  }
  return files;
}

}  // namespace

Result<std::vector<FileDescriptor>> open_reports(const MapOptions& map, const std::vector<int>& others, bool resumes,
                                                 shell::ReportOptions& options) {
  options.title = joined(map.program.launch.command);
  options.summary = !map.talk.quiet && !map.client;
  const std::string stories = map.quarantine.empty() ? "" : map.quarantine + ".stories";
  const std::vector<Report> all{{map.timeline, "the timeline", options.timeline},
                                {map.trace, "the trace", options.trace},
                                {map.quarantine, "the quarantine", options.quarantine, resumes},
                                {stories, "the stories of the quarantine", options.stories, resumes}};
  std::vector<FileDescriptor> files;
  const std::vector<FileDescriptor> state = files_of_state(map.state.file);
  std::vector<int> taken = others;
  std::ranges::transform(state, std::back_inserter(taken), &FileDescriptor::get);
  for (const Report& wanted : all) {
    if (wanted.path.empty()) {
      continue;
    }
    Result<FileDescriptor> file = open_report(wanted, taken);
    if (!file) {
      return std::unexpected(std::move(file.error()));
    }
    wanted.place = shell::ReportPlace{file->get(), fmt::format("{} to '{}'", wanted.what, wanted.path)};
    taken.push_back(file->get());
    files.push_back(std::move(*file));
  }
  return files;
}

bool can_be_shuffled(const FileDescriptor& tasks) { return is_regular(tasks.get()); }

int show_tasks(const MapOptions& map, const FileDescriptor& tasks, std::size_t longest) {
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);  // Nobody else takes them here.
  const core::ProgramSpec& program = map.program;
  const bool each = program.launch.task_arguments;
  std::uint64_t count = 0;
  int error = 0;
  const auto show = [&](const shell::InputLine& task) {
    if (task.bytes.empty() && !task.too_long && !each && !map.lines) {
      return true;
    }
    if (task.too_long || (each && task.bytes.find('\0') != std::string_view::npos)) {
      tell(fmt::format("corral: task {} would fail: it is longer than a task may be, or holds a NUL\n", task.number));
    } else {
      const std::string line = each ? command_for(program.launch.command, task) : std::string(task.bytes) + "\n";
      error = std::fwrite(line.data(), 1, line.size(), stdout) == line.size() ? 0 : errno;
    }
    return error == 0 && ++count != map.limit;
  };
  const int unread = shell::visit_tasks(tasks.get(), longest, map.shuffle ? std::optional(fresh_seed()) : std::nullopt, show);
  if (error == EPIPE) {
    return 128 + SIGPIPE;
  }
  if (unread != 0) {
    return complain(system_error(fmt::format("cannot read tasks from '{}'", map.tasks), unread));
  }
  const int status = deliver("", 0);
  if (status == 0) {
    tell(each ? fmt::format("corral: {} processes would be started\n", count)
              : fmt::format("corral: {} tasks would be given to workers: {}\n", count, quoted_command(program.launch.command)));
  }
  return status;
}

}  // namespace corral::cli
