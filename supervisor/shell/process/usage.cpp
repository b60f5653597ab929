#include "supervisor/shell/process/usage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

#include "common/base/file_descriptor.hpp"

namespace corral::process {

std::optional<Usage> usage_of(std::int32_t pid) {
  constexpr std::size_t longest = 1024;
  const FileDescriptor file(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, longest> text{};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
  std::string_view rest(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t name_end = rest.rfind(')');  // A name may hold anything, a parenthesis too.
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  rest.remove_prefix(name_end + 1);
  constexpr int user_time = 14;  // Fields as proc(5) counts them.
  constexpr int system_time = 15;
  constexpr int resident = 24;
  std::uint64_t ticks = 0;
  std::uint64_t pages = 0;
  int field = 2;
  while (!rest.empty() && field < resident) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    ++field;
    std::uint64_t number = 0;
    std::from_chars(word.data(), word.data() + word.size(), number);
    ticks += field == user_time || field == system_time ? number : 0;
    pages = field == resident ? number : 0;
  }
  return Usage{static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
               pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace corral::process
