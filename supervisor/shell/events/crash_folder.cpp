#include "supervisor/shell/events/crash_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "common/base/trusted_folder.hpp"

namespace corral::shell {
namespace {

constexpr std::string_view prefix = "crash-";
constexpr std::string_view suffix = ".json";
constexpr mode_t file_mode = 0640;

struct File {
  std::string name;
  std::string text;
};

/// Where its files lie. The thread's alone.
class Folder {
 public:
  Folder(std::string path, std::size_t keep) : path_(std::move(path)), keep_(keep) {}

  Result<void> write(const File& file) {
    if (Result<void> opened = open(); !opened) {
      return opened;
    }
    const std::string fresh = "." + file.name + ".new";
    if (const int error = write_whole(fresh, file.text); error != 0) {
      ::unlinkat(fd_.get(), fresh.c_str(), 0);
      return system_failure(fmt::format("cannot write '{}/{}'", path_, file.name), error);
    }
    if (::renameat(fd_.get(), fresh.c_str(), fd_.get(), file.name.c_str()) != 0) {
      const int error = errno;
      ::unlinkat(fd_.get(), fresh.c_str(), 0);
      return system_failure(fmt::format("cannot rename '{}/{}'", path_, fresh), error);
    }
    remove_oldest();
    return {};
  }

 private:
  /// Anew for each record: it may have been removed and made anew. Not through a link that others could turn elsewhere.
  Result<void> open() {
    Result<FileDescriptor> opened = open_trusted_folder(path_, true);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    fd_ = std::move(*opened);
    return {};
  }

  /// Others may write there too: a supervisor and the map that it runs.
  [[nodiscard]] std::set<std::string> list() const {
    std::set<std::string> names;
    FileDescriptor readable(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(readable ? ::fdopendir(readable.get()) : nullptr, ::closedir);
    if (entries) {
      static_cast<void>(readable.release());
    }
    while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view name = entry->d_name;
      if (name.starts_with(prefix) && name.ends_with(suffix)) {
        names.emplace(name);
      }
    }
    return names;
  }

  /// 0, or errno.
  [[nodiscard]] int write_whole(const std::string& name, std::string_view text) const {
    const FileDescriptor file(
        ::openat(fd_.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, file_mode));
    if (!file) {
      return errno;
    }
    ::fchmod(file.get(), file_mode);  // Whatever the umask says.
    while (!text.empty()) {
      const ssize_t written = ::write(file.get(), text.data(), text.size());
      if (written < 0 && errno != EINTR) {
        return errno;
      }
      text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return 0;
  }

  void remove_oldest() const {
    std::set<std::string> names = list();  // Sorted by time.
    while (names.size() > keep_) {
      ::unlinkat(fd_.get(), names.begin()->c_str(), 0);
      names.erase(names.begin());
    }
  }

  std::string path_;
  std::size_t keep_;
  FileDescriptor fd_;
};

}  // namespace

/// The thread has a share of it: where the disk hangs at the end, it stays behind with it.
struct CrashFolder::Shared {
  Shared(std::string path, std::size_t keep, Report to) : folder(std::move(path), keep), report(std::move(to)) {}

  void write_for_ever() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait(lock, [this] { return !files.empty() || leaving; });
      if (files.empty()) {
        return;
      }
      const File file = std::move(files.front());
      files.pop_front();
      busy = true;
      const std::uint64_t missing = std::exchange(dropped, 0);
      lock.unlock();
      const Result<void> written = folder.write(file);
      lock.lock();
      busy = false;
      tell(written, missing);
      if (files.empty()) {
        idle.notify_all();
      }
    }
  }

  /// With the mutex: nobody is told once the folder has been left.
  void tell(const Result<void>& written, std::uint64_t missing) {
    if (missing > 0 && report) {
      report(fmt::format("{} crash record{} lost: the disk did not take them fast enough", missing,
                         missing == 1 ? " was" : "s were"));
    }
    if (!written && !std::exchange(broken, true) && report) {
      report("no crash record can be written, the latest are kept in memory: " + written.error().message);
    }
    broken = !written;
  }

  Folder folder;
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable idle;
  std::deque<File> files;
  std::uint64_t dropped = 0;
  bool busy = false;
  bool leaving = false;
  bool broken = false;
  Report report;
};

CrashFolder::CrashFolder(std::string folder, std::size_t keep, Report report)
    : shared_(std::make_shared<Shared>(std::move(folder), keep, std::move(report))) {}

CrashFolder::~CrashFolder() {
  const std::lock_guard lock(shared_->mutex);
  shared_->leaving = true;
  shared_->report = {};
  shared_->work.notify_all();
}

void CrashFolder::write(const CrashRecord& record) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->files.size() >= most_waiting) {
    ++shared_->dropped;
    return;
  }
  shared_->files.push_back({file_name(record), record.json + "\n"});
  if (!started_) {
    try {
      std::thread([shared = shared_] { shared->write_for_ever(); }).detach();
      started_ = true;
    } catch (const std::system_error&) {
      shared_->files.pop_back();  // No thread to be had: the next record tries again.
      ++shared_->dropped;
      return;
    }
  }
  shared_->work.notify_one();
}

void CrashFolder::finish(Duration patience) {
  std::unique_lock lock(shared_->mutex);
  shared_->idle.wait_for(lock, patience, [this] { return !started_ || (shared_->files.empty() && !shared_->busy); });
}

std::string CrashFolder::file_name(const CrashRecord& record) {
  std::string time = rfc3339(record.wall_ms);
  std::erase_if(time, [](char letter) { return letter == '-' || letter == ':'; });
  std::string worker = record.worker;
  std::ranges::replace(worker, '/', '.');
  return fmt::format("{}{}-{:08}-{}{}", prefix, time, record.number, worker, suffix);
}

}  // namespace corral::shell
