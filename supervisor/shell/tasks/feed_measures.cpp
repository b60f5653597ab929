// How much memory workers have.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

#include "common/base/file_descriptor.hpp"
#include "supervisor/shell/tasks/feed.hpp"

namespace corral::shell {
namespace {

/// Nothing where the process has just gone, or there is no /proc.
std::optional<std::uint64_t> resident_bytes(std::int32_t pid) {
  const FileDescriptor file(::open(fmt::format("/proc/{}/statm", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 128> text{};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
  std::string_view words(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  words.remove_prefix(std::min(words.find(' '), words.size()));  // What it could have.
  words.remove_prefix(words.empty() ? 0 : 1);
  std::uint64_t pages = 0;
  if (std::from_chars(words.data(), words.data() + words.size(), pages).ec != std::errc{}) {
    return std::nullopt;
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void Feed::perform(const core::MeasureWorker& action) {
  const std::uint32_t worker = action.life.worker.index;
  if (const auto bytes = worker < pids_.size() ? resident_bytes(pids_[worker]) : std::nullopt) {
    measured_.push_back({action.life, *bytes});
  }
}

}  // namespace corral::shell
