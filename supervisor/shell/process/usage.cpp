#include "supervisor/shell/process/usage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <ctime>
#include <functional>
#include <string_view>
#include <system_error>
#include <thread>

#include "common/base/file_descriptor.hpp"

namespace corral::process {
namespace {

/// Its clock is asked without opening a file; /proc/PID/stat says the same to a hundredth of a second.
std::optional<double> cpu_seconds_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    return std::nullopt;
  }
  constexpr std::int64_t a_millisecond = 1'000'000;
  constexpr std::int64_t thousand = 1000;
  const std::int64_t milliseconds = used.tv_sec * thousand + used.tv_nsec / a_millisecond;
  return static_cast<double>(milliseconds) / static_cast<double>(thousand);
}

/// The second number of /proc/PID/statm, in pages.
std::optional<std::uint64_t> resident_bytes_of(const FileDescriptor& proc, pid_t pid) {
  std::array<char, 32> name{};
  fmt::format_to_n(name.data(), name.size() - 1, "{}/statm", pid);
  const FileDescriptor file(::openat(proc.get(), name.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 128> text;  // Not initialised: the kernel fills it.
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
  const std::string_view numbers(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string_view second = numbers.substr(std::min(numbers.find(' '), numbers.size()));
  std::uint64_t pages = 0;
  if (second.size() < 2 || std::from_chars(second.data() + 1, second.data() + second.size(), pages).ec != std::errc{}) {
    return std::nullopt;
  }
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return pages * page;
}

std::optional<Usage> usage_of(const FileDescriptor& proc, pid_t pid) {
  const auto cpu = cpu_seconds_of(pid);
  const auto resident = cpu ? resident_bytes_of(proc, pid) : std::nullopt;
  return resident ? std::optional(Usage{*cpu, *resident}) : std::nullopt;
}

/// What one thread asks for at a time: a helper that gets no processor holds nobody up for more than that.
constexpr std::size_t share = 32;

/// A thread is worth its start, some fifty microseconds, for this many processes.
constexpr std::size_t worth_a_thread = 256;
constexpr std::size_t most_helpers = 3;

/// Whether there is another one: without it, it takes longer.
bool add_thread(std::vector<std::jthread>& threads, const std::function<void()>& does) {
  try {
    threads.emplace_back(does);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

std::vector<std::optional<Usage>> usages_of(std::span<const std::int32_t> pids) {
  std::vector<std::optional<Usage>> usages(pids.size());
  const FileDescriptor proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::atomic<std::size_t> next = 0;
  const auto ask = [&] {
    for (std::size_t begin = 0; (begin = next.fetch_add(share)) < pids.size();) {
      for (std::size_t i = begin; i < std::min(begin + share, pids.size()); ++i) {
        usages[i] = usage_of(proc, pids[i]);
      }
    }
  };
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t wanted = std::min({processors - 1, pids.size() / worth_a_thread, most_helpers});
  std::vector<std::jthread> helpers;
  while (helpers.size() < wanted && add_thread(helpers, ask)) {
  }
  ask();
  helpers.clear();
  return usages;
}

}  // namespace corral::process
