#include "supervisor/core/cpu_set.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "common/base/check.hpp"

namespace corral::core {

namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Result<std::uint16_t> parse_number(std::string_view text) {
  const std::string_view digits = trimmed(text);
  if (digits.empty()) return failure("a CPU number is missing");
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return failure(quoted(digits) + " is not a CPU number");
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || number > CpuSet::highest) {
    return failure(quoted(digits) + " is beyond the highest CPU number, " + std::to_string(CpuSet::highest));
  }
  return number;
}

/// "used/group" of "first-last:used/group": the first `used` CPUs of every `group`.
struct Stride {
  std::uint16_t used = 1;
  std::uint16_t group = 1;
};

Result<Stride> parse_stride(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return failure("a stride is written as in '0-14:2/4', not ':" + std::string(text) + "'");
  const Result<std::uint16_t> used = parse_number(text.substr(0, slash));
  if (!used) return std::unexpected(used.error());
  const Result<std::uint16_t> group = parse_number(text.substr(slash + 1));
  if (!group) return std::unexpected(group.error());
  if (*used == 0 || *used > *group)
    return failure("the stride ':" + std::string(text) + "' must take at least 1 and at most all CPUs of each group");
  return Stride{*used, *group};
}

/// One part between commas, appended to `cpus`.
Result<> parse_part(std::string_view part, std::vector<std::uint16_t>& cpus) {
  const std::size_t colon = part.find(':');
  const std::string_view range = part.substr(0, colon);
  const std::size_t dash = range.find('-');
  const Result<std::uint16_t> first = parse_number(range.substr(0, dash));
  if (!first) return std::unexpected(first.error());
  const Result<std::uint16_t> last = dash == std::string_view::npos ? first : parse_number(range.substr(dash + 1));
  if (!last) return std::unexpected(last.error());
  if (*last < *first) return failure("the range " + quoted(trimmed(range)) + " runs backwards");
  Stride stride;
  if (colon != std::string_view::npos) {
    if (dash == std::string_view::npos) return failure("a stride needs a range before it, as in '0-14:2/4'");
    const Result<Stride> parsed = parse_stride(part.substr(colon + 1));
    if (!parsed) return std::unexpected(parsed.error());
    stride = *parsed;
  }
  for (std::uint32_t cpu = *first; cpu <= *last; ++cpu) {
    if ((cpu - *first) % stride.group < stride.used) cpus.push_back(static_cast<std::uint16_t>(cpu));
  }
  return {};
}

}  // namespace

CpuSet::CpuSet(std::initializer_list<std::uint16_t> cpus) : CpuSet(std::vector<std::uint16_t>(cpus)) {}

CpuSet::CpuSet(std::vector<std::uint16_t> cpus) : cpus_(std::move(cpus)) {
  if (!std::ranges::is_sorted(cpus_)) std::ranges::sort(cpus_);
  const auto tail = std::ranges::unique(cpus_);
  cpus_.erase(tail.begin(), tail.end());
  CORRAL_CHECK(cpus_.empty() || cpus_.back() <= highest);
}

Result<CpuSet> CpuSet::parse(std::string_view list) {
  std::vector<std::uint16_t> cpus;
  std::string_view rest = trimmed(list);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const Result<> part = parse_part(rest.substr(0, comma), cpus);
    if (!part) return std::unexpected(part.error());
    // Every comma in the input must end up between two parts, or the list is longer than it looks.
    if (comma == rest.size() - 1) return failure("a CPU number is missing after the last comma");
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    // "0-8191,0-8191,…" repeated without end must not fill the memory.
    if (cpus.size() > std::size_t{4} * highest) cpus = CpuSet(std::move(cpus)).cpus_;
  }
  return CpuSet(std::move(cpus));
}

std::string CpuSet::to_string() const {
  std::string text;
  for (std::size_t first = 0; first < cpus_.size();) {
    std::size_t last = first;
    while (last + 1 < cpus_.size() && cpus_[last + 1] == cpus_[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus_[first]);
    // A pair as a range, as the kernel writes it: "0-1".
    if (last > first) text += '-' + std::to_string(cpus_[last]);
    first = last + 1;
  }
  return text;
}

bool CpuSet::contains(std::uint16_t cpu) const { return std::ranges::binary_search(cpus_, cpu); }

void CpuSet::insert(std::uint16_t cpu) {
  CORRAL_CHECK(cpu <= highest);
  const auto place = std::ranges::lower_bound(cpus_, cpu);
  if (place == cpus_.end() || *place != cpu) cpus_.insert(place, cpu);
}

CpuSet CpuSet::intersection(const CpuSet& other) const {
  CpuSet result;
  std::ranges::set_intersection(cpus_, other.cpus_, std::back_inserter(result.cpus_));
  return result;
}

CpuSet CpuSet::difference(const CpuSet& other) const {
  CpuSet result;
  std::ranges::set_difference(cpus_, other.cpus_, std::back_inserter(result.cpus_));
  return result;
}

CpuSet CpuSet::united(const CpuSet& other) const {
  CpuSet result;
  std::ranges::set_union(cpus_, other.cpus_, std::back_inserter(result.cpus_));
  return result;
}

}  // namespace corral::core
