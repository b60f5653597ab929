// How much memory workers have, with all that they have started.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "supervisor/shell/tasks/feed.hpp"

namespace corral::shell {
namespace {

constexpr std::size_t most_descendants = 1000;

struct Pages {
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;  ///< Of those, with files or others: their own text, libraries, maps.
};

/// Nothing where the process has just gone, or there is no /proc.
std::optional<Pages> pages_of(std::int32_t pid) {
  const FileDescriptor file(::open(fmt::format("/proc/{}/statm", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 128> text{};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
  const char* at = text.data();
  const char* const end = at + std::max<ssize_t>(size, 0);
  std::array<std::uint64_t, 3> words{};  // What it could have, what it has, what of that it shares.
  for (std::uint64_t& word : words) {
    const auto [next, ec] = std::from_chars(at, end, word);
    if (ec != std::errc{}) {
      return std::nullopt;
    }
    at = std::min(next + 1, end);
  }
  return Pages{words[1], words[2]};
}

/// Of its descendants what is theirs alone: the files that they map are mostly the same ones.
std::optional<std::uint64_t> bytes_of(std::int32_t pid,
                                      const std::function<std::vector<std::int32_t>(std::int32_t)>& children_of) {
  const std::optional<Pages> own = pages_of(pid);
  if (!own) {
    return std::nullopt;
  }
  std::uint64_t pages = own->resident;
  std::vector<std::int32_t> others = children_of(pid);
  for (std::size_t i = 0; i < others.size() && others.size() < most_descendants; ++i) {
    const Pages of_it = pages_of(others[i]).value_or(Pages{});
    pages += of_it.resident - std::min(of_it.shared, of_it.resident);
    const std::vector<std::int32_t> more = children_of(others[i]);
    others.insert(others.end(), more.begin(), more.end());
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void Feed::perform(const core::MeasureWorker& action) {
  const std::uint32_t worker = action.life.worker.index;
  if (const auto bytes = worker < launches_.size() ? bytes_of(launches_[worker].pid, hooks_.children_of) : std::nullopt) {
    measured_.push_back({action.life, *bytes});
  }
}

}  // namespace corral::shell
