#include "supervisor/shell/state/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace corral::state {
namespace {

constexpr int wait_for_readers_ms = 5000;  // Somebody may be looking at it with sqlite3.

/// What the rest of corral knows errors by.
int errno_of(sqlite3* handle, int code) {
  switch (code & 0xff) {
    case SQLITE_FULL: return ENOSPC;
    case SQLITE_NOMEM: return ENOMEM;
    case SQLITE_READONLY: return EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return EBADMSG;
    default: break;
  }
  const int of_system = handle == nullptr ? 0 : sqlite3_system_errno(handle);
  return of_system != 0 ? of_system : EIO;
}

std::unexpected<Error> sqlite_failure(sqlite3* handle, int code) {
  std::string text = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
  const int number = errno_of(handle, code);
  if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) {
    text = system_error(text, number).message;
  }
  return std::unexpected(Error{std::move(text), number});
}

}  // namespace

// ---- Statement ------------------------------------------------------------------------------------------------------

void Statement::Finalise::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_.get(), at, value); }

void Statement::bind_text(int at, std::string_view value) {
  sqlite3_bind_text64(statement_.get(), at, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

void Statement::bind_blob(int at, std::string_view value) {
  sqlite3_bind_blob64(statement_.get(), at, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC);
}

void Statement::bind_null(int at) { sqlite3_bind_null(statement_.get(), at); }

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  return sqlite_failure(sqlite3_db_handle(statement_.get()), code);
}

Result<void> Statement::finish() {
  Result<bool> more = step();
  while (more && *more) {
    more = step();
  }
  reset();
  return more ? Result<void>() : std::unexpected(std::move(more.error()));
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

// ---- Database -------------------------------------------------------------------------------------------------------

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<Database> Database::open(const std::string& path, Access access) {
  std::string name = path.empty() || path.starts_with('/') ? path : "./" + path;  // SQLite has names that are no files.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX | (path.empty() ? SQLITE_OPEN_CREATE : 0);
  if (access == Access::read || access == Access::immutable) {
    flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX;
  }
  if (access == Access::immutable) {
    const std::string plain_name = std::exchange(name, "file:");
    for (const char c : plain_name) {
      const bool plain = c != '?' && c != '#' && c != '%';
      name += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
    name += "?immutable=1";
    flags |= SQLITE_OPEN_URI;
  }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
  Database database;
  database.handle_.reset(raw);
  if (code != SQLITE_OK) {
    return sqlite_failure(raw, code);
  }
  sqlite3_busy_timeout(raw, wait_for_readers_ms);
  // A file that somebody has tampered with is data, never a program.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  if (access == Access::look) {
    sqlite3_exec(raw, "PRAGMA query_only = 1", nullptr, nullptr, nullptr);
  }
  return database;
}

Result<void> Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Result<void>() : sqlite_failure(handle_.get(), code);
}

void Database::stop_if(const std::atomic<bool>* stop) {
  constexpr int every = 100'000;  // Of SQLite's instructions: less than a millisecond.
  const auto look = [](void* asked) { return static_cast<const std::atomic<bool>*>(asked)->load() ? 1 : 0; };
  sqlite3_progress_handler(handle_.get(), stop == nullptr ? 0 : every, stop == nullptr ? nullptr : +look,
                           const_cast<std::atomic<bool>*>(stop));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  Statement statement;
  statement.statement_.reset(raw);
  if (code != SQLITE_OK) {
    return sqlite_failure(handle_.get(), code);
  }
  return statement;
}

Result<void> Database::prepare_all(std::initializer_list<std::pair<Statement*, const char*>> statements) {
  for (const auto& [statement, sql] : statements) {
    Result<Statement> prepared = prepare(sql);
    if (!prepared) {
      return std::unexpected(std::move(prepared.error()));
    }
    *statement = std::move(*prepared);
  }
  return {};
}

Result<std::int64_t> Database::number(std::string_view sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) {
    return std::unexpected(std::move(statement.error()));
  }
  Result<bool> row = statement->step();
  if (!row) {
    return std::unexpected(std::move(row.error()));
  }
  return *row ? statement->integer(0) : 0;
}

}  // namespace corral::state
