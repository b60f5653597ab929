// The files that `map` writes beside the results, and what it shows instead of working.
#pragma once

#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/shell/tasks/feed.hpp"

namespace corral::cli {

/// Opened and emptied, each another file, none that of `others` or of the state. They are to stay open as long as `options` are
/// used. `resumes`: the state knows what was quarantined, and not all of it is tried again: the quarantine is gone on with.
[[nodiscard]] Result<std::vector<FileDescriptor>> open_reports(const MapOptions& map, const std::vector<int>& others,
                                                               bool resumes, shell::ReportOptions& options);

/// `--dry-run`: to stdout what would be run, to stderr what with. The exit status.
[[nodiscard]] int show_tasks(const MapOptions& map, const FileDescriptor& tasks, std::size_t longest);

/// The file of `tasks` can be read in any order.
[[nodiscard]] bool can_be_shuffled(const FileDescriptor& tasks);

}  // namespace corral::cli
