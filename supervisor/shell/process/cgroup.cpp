#include "supervisor/shell/process/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    const std::size_t end = line.find(' ');
    out.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return out;
}

template <class Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    visit(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// Does a comma-separated list such as "rw,memory" hold `word`?
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = list.find(',');
    if (list.substr(0, end) == word) {
      return true;
    }
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return false;
}

/// Our path in the hierarchy of `controller`, the unified one (v2) where that is empty. Nothing where there is none, or
/// where it is outside of what this namespace can see.
std::optional<std::string> own_path(std::string_view controller) {
  const std::string memberships = read_small_file("/proc/self/cgroup").value_or("");
  std::optional<std::string> own;
  each_line(memberships, [&](std::string_view line) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second != std::string_view::npos &&
        (controller.empty() ? line.starts_with("0::") : lists(line.substr(first + 1, second - first - 1), controller))) {
      own = std::string(line.substr(second + 1));
    }
  });
  return own && own->starts_with("/..") ? std::nullopt : own;
}

/// The same as a directory, found in the list of mounts.
std::string own_directory(std::string_view controller) {
  const std::optional<std::string> own = own_path(controller);
  if (!own) {
    return {};
  }
  std::string found;
  const std::string mounts = read_small_file("/proc/self/mountinfo").value_or("");
  each_line(mounts, [&](std::string_view line) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) {
      return;
    }
    const auto mount = words(line.substr(0, dash));
    const auto kind = words(line.substr(dash + 3));
    if (mount.size() < 5 || kind.size() < 3 || kind[0] != (controller.empty() ? "cgroup2" : "cgroup") ||
        (!controller.empty() && !lists(kind[2], controller))) {
      return;
    }
    const std::string_view root = mount[3] == "/" ? "" : mount[3];
    if (own->starts_with(root) && (own->size() == root.size() || (*own)[root.size()] == '/')) {
      found = std::string(mount[4]) + std::string(own->substr(root.size()));
    }
  });
  while (found.size() > 1 && found.ends_with('/')) {
    found.pop_back();
  }
  return found;
}

constexpr const char* prefix = "corral-";

bool is_populated(int cgroup) {
  const auto events = read_small_file("cgroup.events", cgroup);
  return events && events->find("populated 1") != std::string::npos;
}

template <class Visit>
void each_folder(int parent, Visit visit) {
  const int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(copy < 0 ? nullptr : fdopendir(copy), closedir);
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    if (entry->d_type == DT_DIR && std::string_view(entry->d_name) != "." && std::string_view(entry->d_name) != "..") {
      visit(entry->d_name);
    }
  }
}

/// With all that workers have made in it: a corral of their own that was killed leaves a cgroup there. Where nobody lives in it,
/// nobody is there who could still want any of it. True if it is gone.
bool remove_dead(int parent, const char* name, int deepest = 16) {
  const FileDescriptor fd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd || deepest == 0 || is_populated(fd.get())) {
    return !fd && errno == ENOENT;
  }
  each_folder(fd.get(), [&](const char* inner) { remove_dead(fd.get(), inner, deepest - 1); });
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/// The one of a supervisor that was killed and has nobody left: nobody holds its lock. True if it is gone.
bool remove_abandoned(int parent, const char* name) {
  const FileDescriptor fd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  return fd ? flock(fd.get(), LOCK_EX | LOCK_NB) == 0 && remove_dead(parent, name) : errno == ENOENT;
}

/// What `exec` leaves so has no other heir.
void remove_all_abandoned(int own) {
  each_folder(own, [own](const char* name) {
    if (std::string_view(name).starts_with(prefix)) {
      remove_abandoned(own, name);
    }
  });
}

/// Its descriptor, with a lock that says for as long as we live that it is not abandoned. -1 with errno. Always a new one: Linux
/// 6.14 and later kill at its birth what is cloned into a cgroup that was killed before (they compare its kill_seq with that of
/// the cgroup of the parent), and a predecessor's was.
int make_and_hold(const std::string& path) {
  static constexpr timespec pause{0, 1'000'000};
  for (int tries = 0; tries < 10; ++tries) {
    if (mkdir(path.c_str(), 0755) != 0) {
      if (errno != EEXIST) {
        return -1;
      }
      if (!remove_abandoned(AT_FDCWD, path.c_str())) {
        nanosleep(&pause, nullptr);
      }
      continue;
    }
    FileDescriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno != ENOENT) {
      return -1;
    }
    // Another one that starts at the same time may look at it, and may have removed it before we held it.
    const bool held = fd && (flock(fd.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK);
    if (held && access(path.c_str(), F_OK) == 0) {
      return fd.release();
    }
    nanosleep(&pause, nullptr);
  }
  errno = EBUSY;
  return -1;
}

}  // namespace

/// Reading the list of mounts takes longer than all else about cgroups, and where systemd or a container runtime mounted
/// the hierarchy it lies at one of two places.
std::string own_cgroup() {
  if (const std::optional<std::string> own = own_path("")) {
    for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      struct statfs status{};
      const std::string path = mount + (*own == "/" ? "" : *own);
      if (statfs(path.c_str(), &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC) {
        return path;
      }
    }
  }
  return own_directory("");
}

Result<WorkersCgroup> WorkersCgroup::create(std::string_view identity) {
  const std::string own = own_cgroup();
  if (own.empty()) {
    return failure("cannot contain workers in a cgroup: no cgroup v2 hierarchy is mounted here");
  }
  remove_all_abandoned(FileDescriptor(open(own.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)).get());
  const std::string path = own + "/" + prefix + std::string(identity);
  const int fd = make_and_hold(path);
  if (fd < 0) {
    return system_failure("cannot make cgroup '" + path + "'", errno);
  }
  WorkersCgroup made(fd, path);
  if (faccessat(fd, "cgroup.kill", W_OK, 0) != 0) {
    const int error = errno;
    made.remove();
    return system_failure("cannot kill by cgroup '" + path + "'", error);
  }
  made.held_[0] = FileDescriptor(openat(fd, "cgroup.procs", O_PATH | O_CLOEXEC | O_NOFOLLOW));
  made.held_[1] = FileDescriptor(open((own + "/cgroup.procs").c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
  return made;
}

std::optional<WorkersCgroup> WorkersCgroup::find(std::string_view identity) {
  const std::string path = own_cgroup() + "/" + prefix + std::string(identity);
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return std::nullopt;
  }
  return WorkersCgroup(fd, path);
}

WorkersCgroup::WorkersCgroup(WorkersCgroup&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      held_{std::move(other.held_[0]), std::move(other.held_[1])} {}

WorkersCgroup::~WorkersCgroup() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

bool WorkersCgroup::kill() const {
  const int fd = openat(fd_, "cgroup.kill", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  const bool done = fd >= 0 && write(fd, "1", 1) == 1;
  if (fd >= 0) {
    close(fd);
  }
  return done;
}

bool WorkersCgroup::populated() const { return is_populated(fd_); }

void WorkersCgroup::remove() {
  if (fd_ >= 0) {
    remove_dead(AT_FDCWD, path_.c_str());
  }
}

OomCounter::~OomCounter() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

void OomCounter::start() {
  for (const std::string& path :
       {own_cgroup() + "/memory.events", own_directory("memory") + "/memory.oom_control", std::string("/proc/vmstat")}) {
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ >= 0) {
      source_ = path;
      break;
    }
  }
  last_ = read();
}

std::uint64_t OomCounter::fresh() {
  const std::uint64_t now = read();
  return now - std::exchange(last_, now);
}

std::uint64_t OomCounter::read() const {
  std::array<char, 16384> text{};
  const ssize_t size = fd_ < 0 ? 0 : pread(fd_, text.data(), text.size(), 0);
  const std::string_view all(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  std::size_t at = all.starts_with("oom_kill ") ? 0 : all.find("\noom_kill ");
  std::uint64_t count = last_;
  if (at != std::string_view::npos && !all.empty()) {
    at = all.find(' ', at) + 1;
    std::from_chars(all.data() + at, all.data() + all.size(), count);
  }
  return count;
}

}  // namespace corral::process
