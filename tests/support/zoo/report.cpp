// What this process is and has: everything that a worker inherits or is given.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "zoo.hpp"

extern char** environ;

namespace zoo {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

class Json {
 public:
  void raw(std::string_view key, std::string_view value) {
    (((text_ += text_.empty() ? "{" : ", ") += quoted(key)) += ": ") += value;
  }
  void text(std::string_view key, std::string_view value) { raw(key, quoted(value)); }
  void number(std::string_view key, long long value) { raw(key, std::to_string(value)); }
  [[nodiscard]] std::string done() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string text_;
};

std::string environment() {
  Json json;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view all(*entry);
    const std::size_t equals = std::min(all.find('='), all.size() - 1);
    json.text(all.substr(0, equals), all.substr(equals + 1));
  }
  return json.done();
}

std::string descriptors() {
  Json json;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = folder == nullptr ? nullptr : readdir(folder)) {
    char target[512];
    const ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof target);
    if (size >= 0 && std::stoi(entry->d_name) != dirfd(folder)) {
      json.text(entry->d_name, std::string_view(target, static_cast<std::size_t>(size)));
    }
  }
  return json.done();
}

/// A line of /proc/self/status, such as "SigBlk".
std::string status_line(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) {
      return line.substr(std::min(line.find_first_not_of(" \t", name.size() + 1), line.size()));
    }
  }
  return "";
}

std::string content(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::string out = "[";
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) {
      (out += out.size() == 1 ? "" : ", ") += std::to_string(cpu);
    }
  }
  return out + "]";
}

std::string limit(__rlimit_resource resource) {
  rlimit both{};
  getrlimit(resource, &both);
  const auto word = [](rlim_t value) { return value == RLIM_INFINITY ? "-1" : std::to_string(value); };
  return "[" + word(both.rlim_cur) + ", " + word(both.rlim_max) + "]";
}

}  // namespace

std::string report() {
  Json json;
  json.number("pid", getpid());
  json.number("ppid", getppid());
  json.number("session", getsid(0));
  json.number("group", getpgrp());
  json.number("foreground", tcgetpgrp(STDIN_FILENO));
  json.raw("env", environment());
  json.raw("fds", descriptors());
  for (const char* name : {"SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "Groups"}) {
    json.text(name, status_line(name));
  }
  json.raw("affinity", affinity());
  json.number("uid", getuid());
  json.number("gid", getgid());
  const mode_t mask = umask(0);
  umask(mask);
  json.number("umask", mask);
  json.number("nice", getpriority(PRIO_PROCESS, 0));
  json.raw("nofile", limit(RLIMIT_NOFILE));
  json.raw("core", limit(RLIMIT_CORE));
  json.text("oom_score_adj", content("/proc/self/oom_score_adj"));
  char folder[4096];
  json.text("cwd", getcwd(folder, sizeof folder) == nullptr ? "" : folder);
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  json.number("death_signal", death_signal);
  winsize size{};
  ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
  json.raw("window", "[" + std::to_string(size.ws_row) + ", " + std::to_string(size.ws_col) + "]");
  return json.done();
}

}  // namespace zoo
