// Opening: whose file it is, who has it, and whether what it says can be believed.
#include "supervisor/shell/state/state_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

namespace corral::state {
namespace {

constexpr std::int64_t application = 0x636f7272;  // "corr"
constexpr std::int64_t version = 1;

// FULL: a commit is on the disk before anybody hears of it. It costs little, since many tasks share one.
constexpr const char* ways = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 2000;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA cache_size = -4096;
)";

constexpr const char* schema = R"(
  PRAGMA application_id = 0x636f7272;
  PRAGMA user_version = 1;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    began TEXT NOT NULL,
    ended TEXT,
    pid INTEGER NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    open INTEGER);
  CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    hash BLOB NOT NULL,
    occurrence INTEGER NOT NULL,
    line INTEGER NOT NULL,
    status TEXT NOT NULL,
    result TEXT NOT NULL,
    output TEXT,
    task BLOB,
    sum INTEGER NOT NULL);
  CREATE VIEW results AS
    SELECT id, run, line, status, json_extract(result, '$.attempts') AS attempts, json_extract(result, '$.seconds') AS seconds,
           json_extract(result, '$.worker') AS worker, json_extract(result, '$.result') AS result,
           json_extract(result, '$.error') AS error
    FROM tasks WHERE status <> 'retried' AND json_valid(result);
)";

/// Far beyond what SQLite locks, and of the descriptor: SQLite lets go of all locks of the process when it is done with its own.
struct flock owner_lock() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = off_t{1} << 60U;
  lock.l_len = 1;
  return lock;
}

}  // namespace

Error StateFile::explain(Error error, std::string_view what) const {
  std::string next;
  switch (error.error_number) {
    case ENOSPC: next = "; make room, then the same command goes on"; break;
    case EBADMSG:
      next = fmt::format("; it is damaged: sqlite3 '{}' .recover shows what is left in it, and another file begins anew", path_);
      break;
    case EROFS: next = "; it, or its folder, may not be written"; break;
    case EBUSY: next = "; another program has locked it: end that one first"; break;
    default: break;
  }
  return Error{fmt::format("cannot {} state '{}': {}{}", what, path_, error.message, next), error.error_number};
}

/// A corral that was killed holds its lock a moment longer, when that was in the middle of a launch: the process that it was
/// making has the descriptor until its exec.
Result<void> StateFile::lock() {
  constexpr int looks = 50;
  constexpr timespec pause{0, 2'000'000};
  for (int look = 0; look < looks; ++look) {
    struct flock lock = owner_lock();
    if (::fcntl(lock_.get(), F_OFD_SETLK, &lock) == 0) {
      return {};
    }
    if (errno != EAGAIN && errno != EACCES) {
      return system_failure(fmt::format("cannot lock state '{}'", path_), errno);
    }
    ::nanosleep(&pause, nullptr);
  }
  const auto other = open_to_read(path_);
  const std::string owner = other ? fmt::format(" (pid {})", (*other)->owner().value_or("unknown")) : std::string();
  return failure(fmt::format("state '{}' is in use by another corral{}; wait for its end, or name another file", path_, owner));
}

std::optional<std::string> StateFile::owner() {
  const FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct flock lock = owner_lock();
  if (!file || ::fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) {
    return std::nullopt;
  }
  const auto pid = texts("SELECT value FROM meta WHERE key = 'owner'");
  return pid && !pid->empty() ? pid->front() : "unknown";
}

Result<std::shared_ptr<StateFile>> StateFile::open(const std::string& path, const Identity& identity, bool new_command) {
  std::shared_ptr<StateFile> file(new StateFile(path));
  constexpr mode_t mode = 0666;
  struct stat status{};
  file->lock_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode));
  if (!file->lock_) {
    return system_failure(fmt::format("cannot open state '{}'", path), errno);
  }
  if (::fstat(file->lock_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return failure(fmt::format("cannot keep state in '{}': it is no regular file", path));
  }
  if (struct stat log{}; status.st_size == 0 && ::stat((path + "-wal").c_str(), &log) == 0 && log.st_size > 0) {
    // SQLite would take it for nothing, and delete it.
    return failure(fmt::format(
        "cannot use state '{0}': it is empty, and its log '{0}-wal' is not; put the file back that belongs to the log, or "
        "move the log away",
        path));
  }
  if (Result<void> locked = file->lock(); !locked) {
    return std::unexpected(std::move(locked.error()));
  }
  auto database = Database::open(path, Database::Access::write);
  if (!database) {
    return std::unexpected(file->explain(std::move(database.error()), "open"));
  }
  file->database_ = std::move(*database);
  Result<bool> fresh = file->is_new();
  if (!fresh) {
    return std::unexpected(std::move(fresh.error()));
  }
  Result<void> ready = file->database_.run(ways);
  ready = ready ? ready : std::unexpected(file->explain(std::move(ready.error()), "use"));
  if (ready && *fresh) {
    ready = file->make(identity);
  }
  if (ready) {
    ready = file->check_identity(identity, new_command);
  }
  if (ready) {
    ready = file->prepare();
  }
  if (ready) {
    ready = file->database_.run(fmt::format("INSERT OR REPLACE INTO meta VALUES ('owner', '{}')", ::getpid()).c_str());
    ready = ready ? ready : std::unexpected(file->explain(std::move(ready.error()), "write"));
  }
  return ready ? Result<std::shared_ptr<StateFile>>(std::move(file)) : std::unexpected(std::move(ready.error()));
}

Result<std::shared_ptr<StateFile>> StateFile::open_to_read(const std::string& path) {
  std::shared_ptr<StateFile> file(new StateFile(path));
  if (::access(path.c_str(), R_OK) != 0) {
    return system_failure(fmt::format("cannot open state '{}'", path), errno);
  }
  // Who can write leaves nothing behind beside the file when it closes it. In a folder that may not be written SQLite cannot note
  // that somebody reads; without a log nobody has to.
  Result<std::int64_t> readable = 0;
  for (const auto access : {Database::Access::look, Database::Access::read, Database::Access::immutable}) {
    if (access == Database::Access::immutable && ::access((path + "-wal").c_str(), F_OK) == 0) {
      break;
    }
    auto database = Database::open(path, access);
    readable = database ? database->number("SELECT count(*) FROM sqlite_schema") : std::unexpected(std::move(database.error()));
    if (readable || readable.error().error_number == EBADMSG) {
      file->database_ = std::move(*database);
      break;
    }
  }
  if (!file->database_.is_open()) {
    return std::unexpected(file->explain(std::move(readable.error()), "read"));
  }
  if (Result<void> ours = file->check_version(); !ours) {
    return std::unexpected(std::move(ours.error()));
  }
  return file;
}

/// True: nothing is in it. An error: it is not ours.
Result<bool> StateFile::is_new() {
  const auto tables = database_.number("SELECT count(*) FROM sqlite_schema");
  const auto owner = database_.number("PRAGMA application_id");
  if (tables && owner && *tables == 0 && *owner == 0) {
    return true;
  }
  Result<void> ours = check_version();
  return ours ? Result<bool>(false) : std::unexpected(std::move(ours.error()));
}

Result<void> StateFile::check_version() {
  auto tables = database_.number("SELECT count(*) FROM sqlite_schema");
  if (!tables && tables.error().error_number == EBADMSG) {
    return failure(fmt::format("cannot use '{}' as state: it is no state file of corral, or damaged ({}); name another file",
                               path_, tables.error().message));
  }
  const auto owner = database_.number("PRAGMA application_id");
  const auto format = database_.number("PRAGMA user_version");
  if (!tables || !owner || !format) {
    Error error = !tables ? tables.error() : !owner ? owner.error() : format.error();
    return std::unexpected(explain(std::move(error), "read"));
  }
  if (*owner != application && *tables == 0) {
    return failure(fmt::format("nothing is recorded in '{}' yet", path_));
  }
  if (*owner != application) {
    return failure(fmt::format("cannot use '{}' as state: it is a database of another program; name another file", path_));
  }
  if (*format != version) {
    return failure(
        fmt::format("cannot use state '{}': it has the format {} of a newer corral, and this one knows {}; use that corral, or "
                    "name another file",
                    path_, *format, version));
  }
  return {};
}

Result<void> StateFile::make(const Identity& identity) {
  Result<void> made = database_.run("BEGIN IMMEDIATE");
  made = made ? database_.run(schema) : made;
  made = made ? write_identity(identity) : made;
  made = made ? database_.run("COMMIT") : made;
  return made ? made : std::unexpected(explain(std::move(made.error()), "begin"));
}

}  // namespace corral::state
