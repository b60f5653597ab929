#include "supervisor/shell/process/descendants.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "common/base/file_descriptor.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::string proc_path(pid_t pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

/// A field of /proc/PID/stat, counted as in proc(5), 3 or higher: the command name before them may hold anything.
std::optional<std::string> stat_field(pid_t pid, int field) {
  const auto text = read_small_file(proc_path(pid, "stat").c_str());
  if (!text || text->rfind(')') == std::string::npos) {
    return std::nullopt;
  }
  std::string_view rest = std::string_view(*text).substr(text->rfind(')') + 2);
  for (; field > 3; --field) {
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) {
      return std::nullopt;
    }
    rest.remove_prefix(blank + 1);
  }
  return std::string(rest.substr(0, rest.find(' ')));
}

/// False where the list cannot be read.
bool append(int fd, std::vector<pid_t>& pids) {
  std::array<char, 16384> buffer;  // Not initialised: the kernel fills it.
  pid_t pid = 0;
  off_t at = 0;
  ssize_t size = -1;
  while (fd >= 0 && (size = pread(fd, buffer.data(), buffer.size(), at)) > 0) {
    at += size;
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(size))) {
      if (c >= '0' && c <= '9') {
        pid = pid * 10 + (c - '0');
      } else if (pid != 0) {
        pids.push_back(pid);
        pid = 0;
      }
    }
  }
  return size == 0;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> pids;
  const std::string path = proc_path(pid, "task");
  const Directory tasks(opendir(path.c_str()));
  while (const dirent* entry = tasks ? readdir(tasks.get()) : nullptr) {
    if (number_of<pid_t>(entry->d_name)) {
      const FileDescriptor list(open((path + "/" + entry->d_name + "/children").c_str(), O_RDONLY | O_CLOEXEC));
      append(list.get(), pids);
    }
  }
  return pids;
}

bool proc_is_ours() {
  std::array<char, 16> target{};
  const ssize_t size = readlink("/proc/self", target.data(), target.size());
  return size > 0 && number_of<pid_t>(std::string_view(target.data(), static_cast<std::size_t>(size))) == getpid();
}

Descendants::~Descendants() {
  for (const int fd : {first_, this_}) {
    if (fd >= 0) {
      close(fd);
    }
  }
}

std::optional<std::vector<pid_t>> Descendants::children(bool of_this_thread_too) {
  const pid_t self = getpid();
  const pid_t here = gettid();
  const auto list_of = [](pid_t task) {
    return open(("/proc/self/task/" + std::to_string(task) + "/children").c_str(), O_RDONLY | O_CLOEXEC);
  };
  if (!tried_) {
    tried_ = true;
    first_ = proc_is_ours() ? list_of(self) : -1;
  }
  if (of_this_thread_too && here != self && this_ < 0) {
    this_ = proc_is_ours() ? list_of(here) : -1;
  }
  std::vector<pid_t> pids;
  if (!append(first_, pids) || (of_this_thread_too && here != self && !append(this_, pids))) {
    return scan();
  }
  return pids;
}

/// For kernels without the children file.
std::optional<std::vector<pid_t>> Descendants::scan() const {
  const Directory proc(opendir("/proc"));
  const std::string self = std::to_string(getpid());
  if (!proc || !proc_is_ours()) {
    return std::nullopt;
  }
  std::vector<pid_t> pids;
  while (const dirent* entry = readdir(proc.get())) {
    const auto pid = number_of<pid_t>(entry->d_name);
    if (pid && stat_field(*pid, 4) == self) {
      pids.push_back(*pid);
    }
  }
  return pids;
}

std::optional<std::string> supervisor_variable(pid_t pid) {
  static constexpr std::string_view name("\0CORRAL_SUPERVISOR=", 19);
  auto text = read_small_file(proc_path(pid, "environ").c_str());
  if (!text) {
    return errno == EACCES || errno == EPERM ? std::nullopt : std::optional(std::string());
  }
  text->insert(0, 1, '\0');
  const std::size_t at = text->find(name);
  if (at == std::string::npos) {
    return std::string();
  }
  return std::string(text->c_str() + at + name.size());
}

std::optional<Life> life_named(std::string_view value, std::string_view identity) {
  if (!value.starts_with(identity)) {
    return std::nullopt;
  }
  value.remove_prefix(identity.size());
  std::array<std::uint32_t, 3> numbers{};
  for (std::uint32_t& number : numbers) {
    if (!value.starts_with(':')) {
      return std::nullopt;
    }
    value.remove_prefix(1);
    const std::size_t end = std::min(value.find(':'), value.size());
    const auto parsed = number_of<std::uint32_t>(value.substr(0, end));
    if (!parsed) {
      return std::nullopt;
    }
    number = *parsed;
    value.remove_prefix(end);
  }
  return Life{{ProgramId{numbers[0]}, numbers[1]}, Incarnation{numbers[2]}};
}

unsigned long timer_slack_of(pid_t pid) {
  const auto text = read_small_file(proc_path(pid, "timerslack_ns").c_str());
  return text ? number_of<unsigned long>(std::string_view(*text).substr(0, text->find('\n'))).value_or(0) : 0;
}

bool is_ending(pid_t child) {
  static constexpr unsigned long exiting = 0x4;  // PF_EXITING
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child) {
    return true;
  }
  const auto flags = stat_field(child, 9);
  return flags && (number_of<unsigned long>(*flags).value_or(0) & exiting) != 0;
}

bool died_before_exec(pid_t zombie) {
  static constexpr unsigned long fork_without_exec = 0x40;  // PF_FORKNOEXEC
  const auto flags = stat_field(zombie, 9);
  return flags && (number_of<unsigned long>(*flags).value_or(0) & fork_without_exec) != 0;
}

}  // namespace corral::process
