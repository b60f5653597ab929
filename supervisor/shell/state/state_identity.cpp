// What a state belongs to: results of different commands are not mixed.
#include <fmt/format.h>

#include <cerrno>
#include <initializer_list>
#include <utility>

#include "common/base/text.hpp"
#include "supervisor/shell/state/state_file.hpp"

namespace corral::state {
namespace {

std::string as_json(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const std::string& word : words) {
    text += text.size() > 1 ? "," : "";
    append_json_string(text, word);
  }
  return text + "]";
}

}  // namespace

Result<void> StateFile::write_identity(const Identity& identity) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)");
  if (!statement) {
    return std::unexpected(std::move(statement.error()));
  }
  const std::string command = as_json(identity.command);
  const std::initializer_list<std::pair<std::string_view, std::string_view>> entries{
      {"command", command}, {"mode", identity.mode}, {"form", identity.raw ? "raw" : "json"}};
  for (const auto& [key, value] : entries) {
    statement->bind_text(1, key);
    statement->bind_text(2, value);
    if (Result<void> written = statement->finish(); !written) {
      return written;
    }
  }
  return {};
}

Result<Identity> StateFile::identity() {
  auto command = texts("SELECT j.value FROM meta, json_each(meta.value) AS j WHERE meta.key = 'command' ORDER BY j.id");
  if (!command) {
    return std::unexpected(explain(std::move(command.error()), "read"));
  }
  auto rest = texts("SELECT value FROM meta WHERE key IN ('form', 'mode') ORDER BY key");
  if (!rest || rest->size() != 2 || command->empty()) {
    return std::unexpected(
        explain(rest ? Error{"it does not say what it belongs to", EBADMSG} : std::move(rest.error()), "read"));
  }
  return Identity{std::move(*command), (*rest)[1], (*rest)[0] == "raw"};
}

Result<void> StateFile::check_identity(const Identity& identity, bool new_command) {
  const auto before = this->identity();
  if (!before) {
    return std::unexpected(before.error());
  }
  if (*before == identity) {
    return {};
  }
  if (before->mode != identity.mode || before->raw != identity.raw) {
    const auto form = [](const Identity& of) {
      return fmt::format("{}{}",
                         of.mode == "frames"  ? "the task protocol"
                         : of.mode == "lines" ? "--lines"
                                              : "{} in the command",
                         of.raw ? " and --raw" : "");
    };
    return failure(
        fmt::format("state '{}' belongs to a run with {}, and this one has {}: their results cannot be mixed; name another file",
                    path_, form(*before), form(identity)));
  }
  if (!new_command) {
    return failure(fmt::format(
        "state '{}' belongs to the command {}, and this is {}: their results would be mixed; name another file, or add "
        "--new-command to go on with this one",
        path_, as_json(before->command), as_json(identity.command)));
  }
  Result<void> written = write_identity(identity);
  return written ? written : std::unexpected(explain(std::move(written.error()), "write"));
}

}  // namespace corral::state
