// SQLite, as much of it as corral needs: errors are values, statements are finalised by whoever holds them.
//
// Every call may block on the disk; one thread at a time has a database. What this must not do: know of tasks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace corral::state {

class Statement {
 public:
  Statement() = default;
  /// Parameters are counted from 1. Text and blobs must stay as they are until the statement was stepped and reset.
  void bind(int at, std::int64_t value);
  void bind_text(int at, std::string_view value);
  void bind_blob(int at, std::string_view value);
  void bind_null(int at);
  /// True: a row is there.
  [[nodiscard]] Result<bool> step();
  /// Steps to the end and makes it ready for the next time.
  [[nodiscard]] Result<void> finish();
  void reset();

  // Of the row, columns from 0. What text() returns lives until the next step.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalise {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalise> statement_;
};

class Database {
 public:
  /// `look` writes nothing of its own, and cleans up what others that were killed have left; `immutable`: nobody writes it.
  enum class Access : std::uint8_t { write, look, read, immutable };
  Database() = default;
  /// The file must exist. "": a private one that nobody sees and that is gone with this.
  [[nodiscard]] static Result<Database> open(const std::string& path, Access access);

  [[nodiscard]] Result<void> run(const char* sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] Result<void> prepare_all(std::initializer_list<std::pair<Statement*, const char*>> statements);
  /// The first column of the first row; 0 where there is none.
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql);
  /// From now on whatever runs fails soon after that has become true; null: no longer.
  void stop_if(const std::atomic<bool>* stop);
  [[nodiscard]] bool is_open() const { return handle_ != nullptr; }
  void close() { handle_.reset(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace corral::state
