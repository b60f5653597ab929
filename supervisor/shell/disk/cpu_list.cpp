#include "supervisor/shell/disk/cpu_list.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace corral::disk {

namespace {

/// -1 for what is not a hexadecimal digit.
int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<core::CpuSet> parse_cpu_mask(std::string_view mask) {
  std::vector<std::uint16_t> cpus;
  std::uint32_t bit = 0;
  const std::string_view text = trimmed(mask);
  // From the lowest digit up. Groups are written with all of their digits but for the highest, so commas carry nothing.
  for (std::size_t left = text.size(); left > 0; --left) {
    if (text[left - 1] == ',') continue;
    const int value = digit_value(text[left - 1]);
    if (value < 0) return std::nullopt;
    for (std::uint32_t i = 0; i < 4; ++i, ++bit) {
      const bool present = (static_cast<std::uint32_t>(value) >> i & 1U) != 0;
      if (present && bit <= core::CpuSet::highest) cpus.push_back(static_cast<std::uint16_t>(bit));
    }
  }
  if (bit == 0) return std::nullopt;
  return core::CpuSet(std::move(cpus));
}

std::optional<core::CpuSet> read_cpus(const Folder& folder, std::string_view path, CpuFormat format) {
  const std::optional<std::string> text = folder.read(path);
  if (!text) return std::nullopt;
  // Linux 5.15 ends some of these files with a NUL after the line break.
  const std::string_view plain = std::string_view(*text).substr(0, text->find('\0'));
  if (format == CpuFormat::mask) return parse_cpu_mask(plain);
  Result<core::CpuSet> set = core::CpuSet::parse(plain);
  if (!set) return std::nullopt;
  return *std::move(set);
}

}  // namespace corral::disk
