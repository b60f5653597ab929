#include "supervisor/shell/state/line_index.hpp"

#include <utility>

namespace corral::state {
namespace {

// Nothing of it has to survive anything, so nothing is logged or synced; what does not fit into the cache goes to the file.
constexpr const char* index_schema = R"(
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA cache_size = -16384;
  CREATE TABLE lines (hash BLOB PRIMARY KEY, seen INTEGER NOT NULL, failed INTEGER) WITHOUT ROWID;
  CREATE TABLE later (hash BLOB, occurrence INTEGER, failed INTEGER NOT NULL, PRIMARY KEY (hash, occurrence)) WITHOUT ROWID;
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
  if (Result<void> made = index.database_.run(index_schema); !made) {
    return std::unexpected(std::move(made.error()));
  }
  const std::initializer_list<std::pair<Statement*, const char*>> statements{
      {&index.add_, "INSERT OR REPLACE INTO lines VALUES (?1, 0, ?2)"},
      {&index.add_later_, "INSERT OR REPLACE INTO later VALUES (?1, ?2, ?3)"},
      {&index.find_, "SELECT seen, failed FROM lines WHERE hash = ?1"},
      {&index.find_later_, "SELECT failed FROM later WHERE hash = ?1 AND occurrence = ?2"},
      {&index.first_, "INSERT INTO lines VALUES (?1, 1, NULL)"},
      {&index.again_, "UPDATE lines SET seen = seen + 1 WHERE hash = ?1"}};
  if (Result<void> prepared = index.database_.prepare_all(statements); !prepared) {
    return std::unexpected(std::move(prepared.error()));
  }
  return index;
}

Result<void> LineIndex::add(const LineHash& hash, std::uint64_t occurrence, std::int64_t failed_row) {
  if (occurrence == 0) {
    add_.bind_blob(1, bytes_of(hash));
    add_.bind(2, failed_row);
    return add_.finish();
  }
  any_later_ = true;
  add_later_.bind_blob(1, bytes_of(hash));
  add_later_.bind(2, static_cast<std::int64_t>(occurrence));
  add_later_.bind(3, failed_row);
  return add_later_.finish();
}

Result<LineIndex::Place> LineIndex::look_up(const LineHash& hash) {
  find_.bind_blob(1, bytes_of(hash));
  const Result<bool> found = find_.step();
  if (!found) {
    return std::unexpected(found.error());
  }
  Place place;
  if (*found) {
    place.occurrence = static_cast<std::uint64_t>(find_.integer(0));
    place.failed_row = find_.is_null(1) ? std::nullopt : std::optional(find_.integer(1));
  }
  find_.reset();
  Statement& next = *found ? again_ : first_;
  next.bind_blob(1, bytes_of(hash));
  if (Result<void> counted = next.finish(); !counted) {
    return std::unexpected(std::move(counted.error()));
  }
  if (place.occurrence > 0) {
    auto later = look_up_later(hash, place.occurrence);
    if (!later) {
      return std::unexpected(std::move(later.error()));
    }
    place.failed_row = *later;
  }
  return place;
}

Result<std::optional<std::int64_t>> LineIndex::look_up_later(const LineHash& hash, std::uint64_t occurrence) {
  if (!any_later_) {
    return std::nullopt;
  }
  find_later_.bind_blob(1, bytes_of(hash));
  find_later_.bind(2, static_cast<std::int64_t>(occurrence));
  const Result<bool> found = find_later_.step();
  if (!found) {
    return std::unexpected(found.error());
  }
  const auto row = *found ? std::optional(find_later_.integer(0)) : std::nullopt;
  find_later_.reset();
  return row;
}

}  // namespace corral::state
