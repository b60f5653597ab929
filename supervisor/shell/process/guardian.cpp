#include "supervisor/shell/process/guardian.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>

#include "supervisor/shell/process/code_pages.hpp"
#include "supervisor/shell/process/living_supervisor.hpp"
#include "supervisor/shell/process/setup.hpp"

namespace corral::process {
namespace {

constexpr int word_end = 0;
constexpr int lock_end = 3;
constexpr Duration patience = std::chrono::seconds(5);

/// A process in the middle of an exec has no environment to be seen: so often nobody must be there.
constexpr int clean_looks = 3;
constexpr timespec between_looks{0, 10'000'000};

struct Actions {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  Actions() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

/// No environment: neither a sweep nor another guardian shall take it for somebody's worker.
Result<Guardian> Guardian::post(const std::string& identity, int lock) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_failure("cannot create a pipe for the guardian", errno);
  }
  const FileDescriptor theirs(ends[0]);
  FileDescriptor ours(ends[1]);
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.files, theirs.get(), word_end);
  posix_spawn_file_actions_addclose(&actions.files, STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions.files, STDERR_FILENO);
  if (lock >= 0) {
    posix_spawn_file_actions_adddup2(&actions.files, lock, lock_end);
  }
  sigset_t all{};
  sigfillset(&all);
  posix_spawnattr_setsigmask(&actions.attributes, &all);  // It ends when the supervisor does, and not before.
  posix_spawnattr_setflags(&actions.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  std::string first = guardian_name;
  std::string second = identity;
  std::array<char*, 3> words{first.data(), second.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions.files, &actions.attributes, words.data(), environment.data());
  if (error != 0) {
    return system_failure("cannot start the guardian", error);
  }
  return Guardian(pid, std::move(ours));
}

void Guardian::dismiss() {
  constexpr int looks = 2000;
  constexpr timespec pause{0, 100'000};
  const char word = '.';
  static_cast<void>(!write(word_.get(), &word, 1));
  word_.reset();
  for (int look = 0; waitpid(pid_, nullptr, WNOHANG) == 0; ++look) {
    if (look == looks) {
      kill(pid_, SIGKILL);  // Somebody has stopped it.
    }
    nanosleep(&pause, nullptr);
  }
}

std::optional<int> stand_guard(int argc, char** argv) {
  if (argc != 2 || std::string_view(argv[0]) != guardian_name) {
    return std::nullopt;
  }
  close_range(lock_end + 1, ~0U, 0);
  release_code_pages();
  char word = 0;
  ssize_t got = 0;
  do {
    got = read(word_end, &word, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 0) {
    return 0;
  }
  for (int clean = 0; clean < clean_looks; ++clean) {
    const Cleared cleared = clear_leftovers(argv[1], patience);
    if (!cleared.gone) {
      return 1;
    }
    clean = cleared.killed > 0 ? 0 : clean;
    nanosleep(&between_looks, nullptr);
  }
  return 0;
}

}  // namespace corral::process
