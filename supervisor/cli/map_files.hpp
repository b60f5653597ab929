// Where the tasks of `map` come from and where its results go.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "supervisor/shell/process/setup.hpp"

namespace corral::cli {

/// A file, or stdin for "-". Never waits: not for whoever is to write into a FIFO either.
[[nodiscard]] Result<FileDescriptor> open_tasks(const std::string& path, const process::ProcessSetup& setup);

/// A file, or stdout for "". Refuses the file that `tasks` are read from.
struct ResultsPlace {
  std::string path;
  bool kept = false;  ///< A regular file stays as it is and can be read too; otherwise it is emptied.
};
[[nodiscard]] Result<FileDescriptor> open_results(const ResultsPlace& place, const FileDescriptor& tasks,
                                                  const process::ProcessSetup& setup);

/// Two descriptors of one regular file.
[[nodiscard]] bool same_file(int left, int right);

/// A copy of the client's socket, in its place.
[[nodiscard]] Result<FileDescriptor> open_client(int fd);

/// How long a task may be, in bytes, that replaces {} in `command`: MAX_ARG_STRLEN for one argument and ARG_MAX for all of
/// them, the environment among them, with some room for what else a worker is told.
[[nodiscard]] std::size_t longest_argument(const std::vector<std::string>& command);

}  // namespace corral::cli
