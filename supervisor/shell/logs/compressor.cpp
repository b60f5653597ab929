#include "supervisor/shell/logs/compressor.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/trusted_folder.hpp"
#include "supervisor/shell/logs/rotation.hpp"
#include "supervisor/shell/logs/target.hpp"

namespace corral::logs {

struct Compressor::State {
  std::mutex mutex;
  std::condition_variable work;
  std::map<std::string, std::uint32_t> due;  ///< Paths, and how many are kept of each.
  std::atomic<bool> leaving = false;
  bool running = false;
};

namespace {

/// False where it could not be written whole, or nobody waits for it any more.
bool compress(int from, FileDescriptor to, const std::atomic<bool>& leaving) {
  const gzFile out = ::gzdopen(to.get(), "wb");
  if (out == nullptr) {
    return false;
  }
  static_cast<void>(to.release());
  std::vector<char> buffer(std::size_t{64} * 1024);
  bool good = true;
  ssize_t got = 0;
  while (good && (got = ::read(from, buffer.data(), buffer.size())) > 0) {
    good = !leaving && ::gzwrite(out, buffer.data(), static_cast<unsigned>(got)) == got;
  }
  return ::gzclose(out) == Z_OK && good && got == 0;
}

/// The older file that `from` is by now, as others may have been put aside meanwhile.
std::optional<std::uint32_t> number_of(int folder, const std::string& name, const struct stat& from, std::uint32_t keep) {
  for (std::uint32_t number = 1; number <= keep; ++number) {
    struct stat status{};
    if (::fstatat(folder, older_name(name, number, false).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_ino == from.st_ino && status.st_dev == from.st_dev) {
      return number;
    }
  }
  return std::nullopt;
}

/// False where there is nothing to be done with it.
bool compress_one(int folder, const std::string& name, std::uint32_t number, std::uint32_t keep,
                  const std::atomic<bool>& leaving) {
  const FileDescriptor from(
      ::openat(folder, older_name(name, number, false).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!from || ::fstat(from.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return false;
  }
  const std::string temporary = "." + name + ".gz.new";
  ::unlinkat(folder, temporary.c_str(), 0);
  FileDescriptor to(::openat(folder, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
  if (!to) {
    return false;
  }
  const FileDescriptor same(::fcntl(to.get(), F_DUPFD_CLOEXEC, 3));
  bool good = compress(from.get(), std::move(to), leaving);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  ::futimens(same.get(), times);  // It tells how old its lines are.
  const std::lock_guard lock(names_in_motion());
  const auto now = good ? number_of(folder, name, status, keep) : std::nullopt;
  if (!now || ::renameat(folder, temporary.c_str(), folder, older_name(name, *now, true).c_str()) != 0) {
    ::unlinkat(folder, temporary.c_str(), 0);
    return false;
  }
  ::unlinkat(folder, older_name(name, *now, false).c_str(), 0);
  return true;
}

void compress_all(const std::string& path, std::uint32_t keep, const std::atomic<bool>& leaving) {
  const SplitPath split = split_path(path);
  const Result<FileDescriptor> folder = open_trusted_folder(split.folder, false);
  for (std::uint32_t number = 2; folder && number <= keep && !leaving; ++number) {
    compress_one(folder->get(), split.name, number, keep, leaving);
  }
}

}  // namespace

Compressor::Compressor() : state_(std::make_shared<State>()) {}

Compressor::~Compressor() {
  // So that it takes away what is half done; but it may get no time to do so, and what is half done has no name yet.
  constexpr auto a_moment = std::chrono::milliseconds(100);
  std::unique_lock lock(state_->mutex);
  state_->leaving = true;
  state_->work.notify_all();
  state_->work.wait_for(lock, a_moment, [this] { return !state_->running; });
}

static void run(const std::shared_ptr<Compressor::State>& state) {
  sched_param none{};
  ::sched_setscheduler(0, SCHED_IDLE, &none);
  std::unique_lock lock(state->mutex);
  while (true) {
    state->work.wait(lock, [&] { return state->leaving || !state->due.empty(); });
    if (state->leaving) {
      state->running = false;
      state->work.notify_all();
      return;
    }
    const auto [path, keep] = *state->due.begin();
    state->due.erase(state->due.begin());
    lock.unlock();
    compress_all(path, keep, state->leaving);
    lock.lock();
  }
}

void Compressor::look_at(const std::string& path, std::uint32_t keep) {
  const std::lock_guard lock(state_->mutex);
  state_->due[path] = keep;
  if (!state_->running) {
    try {
      std::thread([state = state_] { run(state); }).detach();
      state_->running = true;
    } catch (const std::system_error&) {
      return;  // Another rotation will ask again.
    }
  }
  state_->work.notify_one();
}

}  // namespace corral::logs
