// A set of CPU numbers, as Linux counts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace corral::core {

/// Sorted, without duplicates. A program of 1,000 workers holds 1,000 of these, so it is one pointer-sized vector of
/// small numbers and not a bitmap.
class CpuSet {
 public:
  /// Highest CPU number that can be written, one less than the kernel's largest CONFIG_NR_CPUS.
  static constexpr std::uint16_t highest = 8191;

  CpuSet() = default;
  CpuSet(std::initializer_list<std::uint16_t> cpus);
  explicit CpuSet(std::vector<std::uint16_t> cpus);

  /// Linux' list format: "0-3,8", also with blanks around commas and a stride as in "0-14:2/4". The empty text is the
  /// empty set (sysfs writes it so). The error says which part is wrong.
  [[nodiscard]] static Result<CpuSet> parse(std::string_view list);

  /// The shortest list: "0-3,8".
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] bool empty() const { return cpus_.empty(); }
  [[nodiscard]] std::size_t size() const { return cpus_.size(); }
  [[nodiscard]] bool contains(std::uint16_t cpu) const;
  [[nodiscard]] auto begin() const { return cpus_.begin(); }
  [[nodiscard]] auto end() const { return cpus_.end(); }

  void insert(std::uint16_t cpu);
  [[nodiscard]] CpuSet intersection(const CpuSet& other) const;
  [[nodiscard]] CpuSet difference(const CpuSet& other) const;
  [[nodiscard]] CpuSet united(const CpuSet& other) const;

  friend bool operator==(const CpuSet&, const CpuSet&) = default;

 private:
  std::vector<std::uint16_t> cpus_;
};

}  // namespace corral::core
