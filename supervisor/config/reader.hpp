// Text -> Value: the JSON reader, comments allowed.
//
// nlohmann_json decides what is JSON; a cursor that walks the same tokens knows where each one stands, because the
// library's own positions tell how far it has looked and not where a token began (docs/decisions/0003).
// Inside this room only. Never recursive, linear in the size of the text whatever is in it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "supervisor/config/report.hpp"
#include "supervisor/config/value.hpp"

namespace corral::config {

/// The tree, or nothing where the text is not JSON; what is wrong is in the report. Duplicate keys are reported and do
/// not hide what else is wrong, so a tree may come with a report that is not empty.
[[nodiscard]] std::optional<Value> read_json(std::string_view text, Report& report);

/// How far the reader had come when the text stopped being JSON.
struct Progress {
  Range last;                      ///< The last token that was understood; empty at the start of the file.
  std::vector<const Value*> open;  ///< The objects and lists that are not closed yet, the outermost first.
  bool key_pending = false;        ///< The last token is a key.
  bool done = false;               ///< The document is complete: anything more is too much.
};

/// Says in the words of a person what is wrong behind `progress.last`.
void explain_syntax(std::string_view text, const Progress& progress, Report& report);

}  // namespace corral::config
