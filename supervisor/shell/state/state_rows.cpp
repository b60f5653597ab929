// Reading and writing what has become of tasks.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "supervisor/shell/state/state_file.hpp"

namespace corral::state {
namespace {

std::string_view name_of(core::Outcome outcome) {
  switch (outcome) {
    case core::Outcome::done: return "done";
    case core::Outcome::failed: return "failed";
    case core::Outcome::quarantined: return "quarantined";
  }
  return "failed";
}

Error damage(std::int64_t row) { return Error{fmt::format("row {} of tasks is not what was recorded", row), EBADMSG}; }

Result<LineHash> hash_in(std::string_view bytes, std::int64_t row) {
  LineHash hash{};
  if (bytes.size() != hash.size()) {
    return std::unexpected(damage(row));
  }
  std::ranges::copy(bytes, hash.begin());
  return hash;
}

std::uint64_t number_in(const Statement& row, int column) { return static_cast<std::uint64_t>(row.integer(column)); }

/// Of what each() selects: row `expected`, as it was recorded.
Result<RowContent> content_of(const Statement& row, std::int64_t expected) {
  const auto maybe = [&](int column) { return row.is_null(column) ? std::nullopt : std::optional(row.text(column)); };
  const std::string_view status = row.text(4);
  const bool known_status = status == "done" || status == "failed" || status == "quarantined" || status == "retried";
  const RowContent content{row.text(1), number_in(row, 2), number_in(row, 3), row.text(5), maybe(6), maybe(7)};
  const bool whole = row.integer(0) == expected && known_status && hash_in(content.hash, expected);
  if (!whole || row.integer(8) != sum_of(content)) {
    return std::unexpected(damage(expected));
  }
  return content;
}

}  // namespace

Result<void> StateFile::prepare() {
  Result<void> prepared = database_.prepare_all({{&begin_, "BEGIN IMMEDIATE"},
                                                 {&commit_, "COMMIT"},
                                                 {&insert_,
                                                  "INSERT INTO tasks (run, hash, occurrence, line, status, result, output, task, "
                                                  "sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
                                                 {&retried_, "UPDATE tasks SET status = 'retried' WHERE id = ?1"}});
  if (!prepared) {
    return std::unexpected(explain(std::move(prepared.error()), "use"));
  }
  const auto last = database_.number("SELECT max(id) FROM tasks");
  if (!last) {
    return std::unexpected(explain(last.error(), "read"));
  }
  last_row_ = *last;
  return {};
}

Result<void> StateFile::begin_run(const RunFacts& facts) {
  auto statement = database_.prepare(
      "INSERT INTO runs (began, pid, input, output) VALUES (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?1, ?2, ?3) RETURNING id");
  if (!statement) {
    return std::unexpected(explain(std::move(statement.error()), "write"));
  }
  statement->bind(1, ::getpid());
  statement->bind_text(2, facts.input);
  statement->bind_text(3, facts.output);
  Result<bool> begun = statement->step();
  if (begun && *begun) {
    run_ = statement->integer(0);
    Result<void> finished = statement->finish();
    return finished ? finished : std::unexpected(explain(std::move(finished.error()), "write"));
  }
  return std::unexpected(explain(begun ? Error{"no run was begun", EIO} : std::move(begun.error()), "write"));
}

Result<void> StateFile::end_run(std::optional<std::uint64_t> open) {
  auto statement = database_.prepare("UPDATE runs SET ended = strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), open = ?2 WHERE id = ?1");
  if (statement) {
    statement->bind(1, run_);
    open ? statement->bind(2, static_cast<std::int64_t>(*open)) : statement->bind_null(2);
  }
  Result<void> ended = statement ? statement->finish() : std::unexpected(std::move(statement.error()));
  return ended ? ended : std::unexpected(explain(std::move(ended.error()), "write"));
}

Result<void> StateFile::insert(const TaskRow& row) {
  insert_.bind(1, run_);
  insert_.bind_blob(2, {row.key.hash.data(), row.key.hash.size()});
  insert_.bind(3, static_cast<std::int64_t>(row.key.occurrence));
  insert_.bind(4, static_cast<std::int64_t>(row.line));
  insert_.bind_text(5, name_of(row.outcome));
  std::string_view result = row.result;
  result.remove_suffix(result.ends_with('\n') ? 1 : 0);
  insert_.bind_text(6, result);
  row.output ? insert_.bind_text(7, *row.output) : insert_.bind_null(7);
  row.task ? insert_.bind_blob(8, *row.task) : insert_.bind_null(8);
  insert_.bind(9,
               sum_of({{row.key.hash.data(), row.key.hash.size()}, row.key.occurrence, row.line, result, row.output, row.task}));
  if (Result<void> inserted = insert_.finish(); !inserted || row.key.failed_row == 0) {
    return inserted;
  }
  retried_.bind(1, row.key.failed_row);
  return retried_.finish();
}

Result<void> StateFile::record(std::span<const TaskRow> rows) {
  Result<void> going = begin_.finish();
  for (std::size_t at = 0; going && at < rows.size(); ++at) {
    going = insert(rows[at]);
  }
  going = going ? commit_.finish() : going;
  if (going) {
    return {};
  }
  static_cast<void>(database_.run("ROLLBACK"));
  return std::unexpected(explain(std::move(going.error()), "write"));
}

Result<void> StateFile::each_row(std::string_view sql, const std::function<Result<bool>(const Statement&)>& take) {
  auto statement = database_.prepare(sql);
  if (!statement) {
    return std::unexpected(explain(std::move(statement.error()), "read"));
  }
  for (Result<bool> more = statement->step();; more = statement->step()) {
    if (!more) {
      return std::unexpected(explain(std::move(more.error()), "read"));
    }
    Result<bool> go_on = *more ? take(*statement) : false;
    if (!go_on || !*go_on) {
      return go_on ? Result<void>() : std::unexpected(std::move(go_on.error()));
    }
  }
}

Result<void> StateFile::each(const std::function<Result<bool>(std::string_view)>& take) {
  std::int64_t before = 0;
  return each_row("SELECT id, hash, occurrence, line, status, result, output, task, sum FROM tasks ORDER BY id",
                  [&](const Statement& row) -> Result<bool> {
                    const auto content = content_of(row, ++before);
                    if (!content) {
                      return std::unexpected(explain(content.error(), "read"));
                    }
                    if (content->output) {
                      return take(*content->output);
                    }
                    Result<bool> go_on = take(content->result);
                    return go_on && *go_on ? take("\n") : go_on;
                  });
}

Result<void> StateFile::each_known(const std::function<Result<bool>(const TaskKey&)>& take) {
  return each_row(
      "SELECT hash, occurrence, iif(status = 'done', 0, id) FROM tasks WHERE status <> 'retried' ORDER BY hash, occurrence",
      [&](const Statement& row) -> Result<bool> {
        const auto hash = hash_in(row.text(0), row.integer(2));
        if (!hash) {
          return std::unexpected(explain(hash.error(), "read"));
        }
        return take({*hash, number_in(row, 1), row.integer(2)});
      });
}

Result<std::vector<FailedTask>> StateFile::failed_after(std::int64_t after, std::size_t most) {
  std::vector<FailedTask> found;
  const std::string sql = fmt::format(
      "SELECT id, hash, occurrence, line, task FROM tasks WHERE id > {} AND id <= {} AND task IS NOT NULL AND status IN "
      "('failed', "
      "'quarantined') ORDER BY id LIMIT {}",
      after, last_row_, most);
  Result<void> read = each_row(sql, [&](const Statement& row) -> Result<bool> {
    const std::int64_t id = row.integer(0);
    const auto hash = hash_in(row.text(1), id);
    if (!hash) {
      return std::unexpected(explain(hash.error(), "read"));
    }
    found.push_back({{*hash, number_in(row, 2), id}, number_in(row, 3), std::string(row.text(4))});
    return true;
  });
  return read ? Result<std::vector<FailedTask>>(std::move(found)) : std::unexpected(std::move(read.error()));
}

Result<void> StateFile::each_text(std::string_view sql, const std::function<bool(std::string_view)>& take) {
  return each_row(sql, [&](const Statement& row) -> Result<bool> { return take(row.text(0)); });
}

Result<std::vector<std::string>> StateFile::texts(std::string_view sql) {
  std::vector<std::string> found;
  Result<void> read = each_text(sql, [&](std::string_view text) {
    found.emplace_back(text);
    return true;
  });
  return read ? Result<std::vector<std::string>>(std::move(found)) : std::unexpected(std::move(read.error()));
}

Result<std::int64_t> StateFile::number(std::string_view sql) {
  auto found = database_.number(sql);
  return found ? found : std::unexpected(explain(std::move(found.error()), "read"));
}

}  // namespace corral::state
