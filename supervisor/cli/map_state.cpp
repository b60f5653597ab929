#include "supervisor/cli/map_state.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/shell/state/state_file.hpp"

namespace corral::cli {
namespace {

std::string_view name_of(shell::TaskMode mode) {
  switch (mode) {
    case shell::TaskMode::frames: return "frames";
    case shell::TaskMode::lines: return "lines";
    case shell::TaskMode::each: return "each";
  }
  return "frames";
}

/// Each row as a line. Somebody who has seen enough (`| head`) is no failure.
int print_lines(state::StateFile& file, std::string_view sql) {
  bool written = true;
  const Result<void> read = file.each_text(sql, [&](std::string_view line) {
    written = std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) != EOF;
    return written;
  });
  if (!read) {
    std::fflush(stdout);
    complain(read.error());
    return 1;
  }
  return deliver("", 0);
}

struct Tally {
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::int64_t quarantined = 0;
};

Result<Tally> count(state::StateFile& file) {
  Tally tally;
  for (const auto& [into, name] :
       {std::pair{&tally.done, "done"}, {&tally.failed, "failed"}, {&tally.quarantined, "quarantined"}}) {
    const auto found = file.number(fmt::format("SELECT count(*) FROM tasks WHERE status = '{}'", name));
    if (!found) {
      return std::unexpected(found.error());
    }
    *into = *found;
  }
  return tally;
}

int print_status(state::StateFile& file) {
  const auto tally = count(file);
  if (!tally) {
    complain(tally.error());
    return 1;
  }
  const auto command = file.texts("SELECT value FROM meta WHERE key = 'command'");
  const auto last = file.texts(
      "SELECT 'last run: from ' || input || ' to ' || output || ', began ' || began || coalesce(', ended ' || ended, '') || "
      "' (pid ' || pid || ')' FROM runs ORDER BY id DESC LIMIT 1");
  const auto open = file.texts(
      "SELECT CASE WHEN ended IS NULL THEN 'not known: the last run was killed' WHEN open IS NULL THEN "
      "'not known: the input was not read to its end' ELSE open END FROM runs ORDER BY id DESC LIMIT 1");
  if (!command || !last || !open) {
    complain(!command ? command.error() : !last ? last.error() : open.error());
    return 1;
  }
  std::string text = fmt::format("done: {}\nfailed: {}\nquarantined: {}\n", tally->done, tally->failed, tally->quarantined);
  const auto owner = file.owner();
  if (owner) {
    text += fmt::format("open: not known: in use by corral (pid {})\n", *owner);
  } else {
    text += fmt::format("open: {}\n", open->empty() ? "not known: no run has begun" : open->front());
  }
  for (const std::string& line : *last) {
    text += line + "\n";
  }
  for (const std::string& line : *command) {
    text += "command: " + line + "\n";
  }
  return deliver(text, 0);
}

int print_failed(state::StateFile& file) {
  const int status =
      print_lines(file, "SELECT task FROM tasks WHERE status IN ('failed', 'quarantined') AND task IS NOT NULL ORDER BY id");
  const auto unkept = file.number("SELECT count(*) FROM tasks WHERE status IN ('failed', 'quarantined') AND task IS NULL");
  if (status == 0 && unkept && *unkept > 0) {
    tell(fmt::format("corral: {} more failed that are longer than a task may be: their lines are in the input alone\n", *unkept));
  }
  return status;
}

state::Identity identity_of(const MapOptions& options, shell::TaskMode mode) {
  return {options.program.launch.command, std::string(name_of(mode)), options.raw};
}

std::string described(const std::string& path, const char* standard) { return path.empty() ? standard : "'" + path + "'"; }

}  // namespace

int look_at_state(const MapOptions& options) {
  auto file = state::StateFile::open_to_read(options.state.file);
  if (!file) {
    return complain(file.error());
  }
  switch (options.state.look) {
    case StateOptions::Look::status: return print_status(**file);
    case StateOptions::Look::failed: return print_failed(**file);
    case StateOptions::Look::results:
    case StateOptions::Look::none: break;
  }
  return print_lines(**file, "SELECT result FROM tasks WHERE status <> 'retried' ORDER BY id");
}

Result<void> take_command_from_state(MapOptions& options) {
  auto file = state::StateFile::open_to_read(options.state.file);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  auto identity = (*file)->identity();
  if (!identity) {
    return std::unexpected(std::move(identity.error()));
  }
  options.program.launch.command = std::move(identity->command);
  options.lines = identity->mode == "lines";
  options.raw = identity->raw;
  return {};
}

Result<std::optional<shell::LedgerOptions>> open_state(const MapOptions& options, shell::TaskMode mode, int output) {
  if (options.state.file.empty()) {
    return std::nullopt;
  }
  const bool retry_only = options.state.retry_failed && !options.tasks_given;
  auto file = state::StateFile::open(options.state.file, identity_of(options, mode), options.state.new_command);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  struct stat results{};
  const bool own_file = !options.output.empty() && ::fstat(output, &results) == 0 && S_ISREG(results.st_mode);
  if (own_file && (*file)->empty() && results.st_size > 0) {
    return failure(
        fmt::format("the results file '{}' holds {} bytes that state '{}' knows nothing of: move it away, or name another",
                    options.output, results.st_size, options.state.file));
  }
  shell::LedgerOptions ledger;
  ledger.retry_only = retry_only;
  ledger.recorder.file = std::move(*file);
  ledger.recorder.run = {retry_only             ? "what had failed"
                         : options.tasks == "-" ? "stdin"
                                                : described(options.tasks, ""),
                         described(options.output, "stdout")};
  ledger.recorder.results = own_file ? std::optional(output) : std::nullopt;
  ledger.recorder.retry_failed = options.state.retry_failed;
  return ledger;
}

}  // namespace corral::cli
