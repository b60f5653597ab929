#include "supervisor/shell/state/line_index.hpp"

#include <utility>

namespace corral::state {
namespace {

// Nothing of it has to survive anything, so nothing is logged or synced; what does not fit into the cache goes to the file.
constexpr const char* schema = R"(
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA cache_size = -16384;
  CREATE TABLE seen (hash BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE known (hash BLOB, occurrence INTEGER, failed INTEGER NOT NULL, PRIMARY KEY (hash, occurrence)) WITHOUT ROWID;
  BEGIN;
)";

std::string_view bytes_of(const LineHash& hash) { return {hash.data(), hash.size()}; }

}  // namespace

Result<LineIndex> LineIndex::open() {
  auto database = Database::open("", Database::Access::write);
  if (!database) {
    return std::unexpected(std::move(database.error()));
  }
  LineIndex index;
  index.database_ = std::move(*database);
  if (Result<void> made = index.database_.run(schema); !made) {
    return std::unexpected(std::move(made.error()));
  }
  const std::initializer_list<std::pair<Statement*, const char*>> statements{
      {&index.add_, "INSERT OR REPLACE INTO known VALUES (?1, ?2, ?3)"},
      {&index.seen_, "SELECT count FROM seen WHERE hash = ?1"},
      {&index.first_, "INSERT INTO seen VALUES (?1, 1)"},
      {&index.again_, "UPDATE seen SET count = count + 1 WHERE hash = ?1"},
      {&index.find_, "SELECT failed FROM known WHERE hash = ?1 AND occurrence = ?2"}};
  if (Result<void> prepared = index.database_.prepare_all(statements); !prepared) {
    return std::unexpected(std::move(prepared.error()));
  }
  return index;
}

Result<void> LineIndex::add_known(const LineHash& hash, std::uint64_t occurrence, std::int64_t failed_row) {
  any_known_ = true;
  add_.bind_blob(1, bytes_of(hash));
  add_.bind(2, static_cast<std::int64_t>(occurrence));
  add_.bind(3, failed_row);
  return add_.finish();
}

Result<std::uint64_t> LineIndex::count(const LineHash& hash) {
  seen_.bind_blob(1, bytes_of(hash));
  Result<bool> found = seen_.step();
  if (!found) {
    return std::unexpected(std::move(found.error()));
  }
  const std::uint64_t before = *found ? static_cast<std::uint64_t>(seen_.integer(0)) : 0;
  seen_.reset();
  Statement& next = before == 0 ? first_ : again_;
  next.bind_blob(1, bytes_of(hash));
  if (Result<void> counted = next.finish(); !counted) {
    return std::unexpected(std::move(counted.error()));
  }
  return before;
}

Result<std::optional<std::int64_t>> LineIndex::known(const LineHash& hash, std::uint64_t occurrence) {
  if (!any_known_) {
    return std::nullopt;
  }
  find_.bind_blob(1, bytes_of(hash));
  find_.bind(2, static_cast<std::int64_t>(occurrence));
  Result<bool> found = find_.step();
  if (!found) {
    return std::unexpected(std::move(found.error()));
  }
  const auto row = *found ? std::optional(find_.integer(0)) : std::nullopt;
  find_.reset();
  return row;
}

}  // namespace corral::state
