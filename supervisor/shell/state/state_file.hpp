// The state of a `map`, in a file: every task that has ended, with its result. docs/guide/state.md describes the tables.
//
// One corral at a time writes it, and holds a lock meanwhile; anybody may read. What is recorded survives a kill -9 of anything
// and a loss of power. Every call may block on the disk. What this must not do: know where tasks come from.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "supervisor/shell/state/database.hpp"
#include "supervisor/shell/state/task_row.hpp"

namespace corral::state {

/// Results of different commands, or in different forms, are not mixed.
struct Identity {
  std::vector<std::string> command;
  std::string mode;  ///< "frames", "lines", "each".
  bool raw = false;

  friend bool operator==(const Identity&, const Identity&) = default;
};

struct RunFacts {
  std::string input;
  std::string output;
};

/// A task that has failed, to be run again.
struct FailedTask {
  TaskKey key;
  std::uint64_t line = 0;
  std::string task;
};

class StateFile {
 public:
  /// Makes it where there is none. `new_command`: another command than before is all right, and from now on the one.
  [[nodiscard]] static Result<std::shared_ptr<StateFile>> open(const std::string& path, const Identity& identity,
                                                               bool new_command);
  /// To look at it.
  [[nodiscard]] static Result<std::shared_ptr<StateFile>> open_to_read(const std::string& path);

  /// The pid of the corral that has it now.
  [[nodiscard]] std::optional<std::string> owner();

  [[nodiscard]] Result<Identity> identity();
  [[nodiscard]] bool empty() const { return last_row_ == 0; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Of a run, from the one thread that has it.
  [[nodiscard]] Result<void> begin_run(const RunFacts& facts);
  /// All of them or none, for good.
  [[nodiscard]] Result<void> record(std::span<const TaskRow> rows);
  /// `open`: tasks that were given up unspent; nothing where the input was not read to its end.
  [[nodiscard]] Result<void> end_run(std::optional<std::uint64_t> open);

  /// each() and each_known() end early once that has become true; null: no longer.
  void stop_if(const std::atomic<bool>* stop) { database_.stop_if(stop); }
  /// What every row has put into the results, in the order in which they were recorded, until `take` fails or returns false.
  /// Fails where a row is not what was recorded.
  [[nodiscard]] Result<void> each(const std::function<Result<bool>(std::string_view written)>& take);
  /// Every task that has ended, by its hash; failed_row is that of its failure. Likewise.
  [[nodiscard]] Result<void> each_known(const std::function<Result<bool>(const TaskKey&)>& take);
  /// The next failed tasks after row `after` among those that were there when this was opened, at most `most`.
  [[nodiscard]] Result<std::vector<FailedTask>> failed_after(std::int64_t after, std::size_t most);
  [[nodiscard]] Result<std::vector<std::string>> texts(std::string_view sql);
  /// What a query returns, row after row: one column of bytes.
  [[nodiscard]] Result<void> each_text(std::string_view sql, const std::function<bool(std::string_view)>& take);
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql);

  /// One sentence of an error in this file, with what to do.
  [[nodiscard]] Error explain(Error error, std::string_view what) const;

 private:
  explicit StateFile(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Result<void> lock();
  [[nodiscard]] Result<bool> is_new();
  [[nodiscard]] Result<void> make(const Identity& identity);
  [[nodiscard]] Result<void> check_version();
  [[nodiscard]] Result<void> check_identity(const Identity& identity, bool new_command);
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> each_row(std::string_view sql, const std::function<Result<bool>(const Statement&)>& take);
  [[nodiscard]] Result<void> insert(const TaskRow& row);
  [[nodiscard]] Result<void> write_identity(const Identity& identity);

  std::string path_;
  FileDescriptor lock_;  ///< Closed last.
  Database database_;
  Statement begin_;
  Statement commit_;
  Statement insert_;
  Statement retried_;
  std::int64_t run_ = 0;
  std::int64_t last_row_ = 0;  ///< When it was opened.
};

}  // namespace corral::state
