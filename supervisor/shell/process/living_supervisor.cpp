#include "supervisor/shell/process/living_supervisor.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "supervisor/shell/process/descendants.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

struct CloseListing {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Listing = std::unique_ptr<DIR, CloseListing>;

/// 0: outside of our PID namespace. Nothing where there is no such process.
std::optional<pid_t> parent_of(pid_t pid) {
  const auto stat = read_small_file(fmt::format("/proc/{}/stat", pid).c_str());
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos || name_end + 4 > stat->size()) {
    return std::nullopt;
  }
  return pid_in(std::string_view(*stat).substr(name_end + 4));
}

/// From the parent upwards, without init, as far as can be seen; nothing where `pid` has ended.
std::optional<std::vector<pid_t>> ancestors_of(pid_t pid) {
  std::optional<pid_t> parent = parent_of(pid);
  if (!parent) {
    return std::nullopt;
  }
  std::vector<pid_t> chain;
  while (parent && *parent > 1 && std::ranges::find(chain, *parent) == chain.end()) {
    chain.push_back(*parent);
    parent = parent_of(*parent);
  }
  return chain;
}

/// As it was at one time: twice the same. When one of them ends in between its children have another parent.
std::vector<pid_t> settled_ancestors_of(pid_t pid) {
  std::optional<std::vector<pid_t>> before = ancestors_of(pid);
  while (before) {
    std::optional<std::vector<pid_t>> now = ancestors_of(pid);
    if (now == before) {
      return *now;
    }
    before = std::move(now);
  }
  return {};
}

bool carries(pid_t pid, std::string_view identity) {
  return life_named(supervisor_variable(pid).value_or(""), identity).has_value();
}

/// The real one of a corral, which is part of its identity: /proc/PID itself belongs to root where a file has capabilities.
bool is_corral_of_ours(pid_t pid) {
  const std::string status = read_small_file(fmt::format("/proc/{}/status", pid).c_str()).value_or("");
  return status.starts_with("Name:\tcorral\n") && status.contains(fmt::format("\nUid:\t{}\t", getuid()));
}

bool guards(pid_t pid, std::string_view identity) {
  const std::string words = read_small_file(fmt::format("/proc/{}/cmdline", pid).c_str()).value_or("");
  const std::string_view name(guardian_name);
  return words.starts_with(name) && std::string_view(words.c_str() + std::min(words.size(), name.size() + 1)) == identity;
}

}  // namespace

std::string lock_name(std::string_view identity) { return fmt::format("{}.lock", identity); }

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  const Listing proc(opendir("/proc"));
  while (const dirent* entry = proc ? readdir(proc.get()) : nullptr) {  // NOLINT(concurrency-mt-unsafe)
    if (const pid_t pid = pid_in(entry->d_name); pid > 1) {
      pids.push_back(pid);
    }
  }
  return pids;
}

LivingSupervisors::LivingSupervisors(std::string_view identity) : identity_(identity) {
  const std::vector<pid_t> above_us = settled_ancestors_of(getpid());
  lineage_.insert(above_us.begin(), above_us.end());
  lineage_.insert(getpid());
}

bool LivingSupervisors::look_at(pid_t ancestor) const {
  if (ancestor == getpid() || carries(ancestor, identity_)) {
    return false;
  }
  const std::string folder = fmt::format("/proc/{}/fd", ancestor);
  const Listing descriptors(opendir(folder.c_str()));
  if (!descriptors) {
    return errno == EACCES && !lineage_.contains(ancestor) && is_corral_of_ours(ancestor);
  }
  const std::string wanted = lock_name(identity_);
  while (const dirent* entry = readdir(descriptors.get())) {  // NOLINT(concurrency-mt-unsafe)
    std::array<char, 4096> target;                            // Not initialised: the kernel fills it.
    const ssize_t size = readlinkat(dirfd(descriptors.get()), entry->d_name, target.data(), target.size());
    std::string_view path(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (static constexpr std::string_view gone = " (deleted)"; path.ends_with(gone)) {
      path.remove_suffix(gone.size());
    }
    if (path.ends_with(wanted) && path.size() > wanted.size() &&
        std::string_view("/:").contains(path[path.size() - wanted.size() - 1])) {
      return true;
    }
  }
  return false;
}

bool LivingSupervisors::supervises(pid_t ancestor) {
  const auto [known, fresh] = known_.emplace(ancestor, false);
  if (fresh) {
    known->second = look_at(ancestor);
  }
  return known->second;
}

pid_t LivingSupervisors::above(pid_t pid) {
  for (const pid_t ancestor : settled_ancestors_of(pid)) {
    if (supervises(ancestor)) {
      return ancestor;
    }
  }
  return 0;
}

pid_t LivingSupervisors::any() {
  if (const pid_t ours = above(getpid()); ours != 0) {
    return ours;
  }
  for (const pid_t pid : all_processes()) {
    if (!lineage_.contains(pid) && (carries(pid, identity_) || guards(pid, identity_))) {
      if (const pid_t found = above(pid); found != 0) {
        return found;
      }
    }
  }
  return 0;
}

pid_t LivingSupervisors::any_that_begins() {
  for (const pid_t pid : all_processes()) {
    if (!lineage_.contains(pid) && !guards(pid, identity_) && supervises(pid)) {
      return pid;
    }
  }
  return 0;
}

}  // namespace corral::process
