#include "common/base/units.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace corral {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 7> duration_units{{{"ns", 1},
                                              {"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", 1'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"d", 86'400'000'000'000}}};

constexpr std::array<Unit, 9> size_units{{{"B", 1},
                                          {"kB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"TB", 1'000'000'000'000},
                                          {"KiB", 1ULL << 10U},
                                          {"MiB", 1ULL << 20U},
                                          {"GiB", 1ULL << 30U},
                                          {"TiB", 1ULL << 40U}}};

/// What people write, in small letters, and the unit that it means.
struct EverydayUnit {
  std::string_view name;
  std::string_view unit;
};

constexpr std::array<EverydayUnit, 26> everyday_durations{
    {{"nanosecond", "ns"}, {"nanoseconds", "ns"}, {"microsecond", "us"}, {"microseconds", "us"}, {"usec", "us"}, {"usecs", "us"},
     {"\xc2\xb5s", "us"},  {"\xce\xbcs", "us"},   {"millisecond", "ms"}, {"milliseconds", "ms"}, {"msec", "ms"}, {"msecs", "ms"},
     {"millis", "ms"},     {"second", "s"},       {"seconds", "s"},      {"sec", "s"},           {"secs", "s"},  {"minute", "m"},
     {"minutes", "m"},     {"min", "m"},          {"mins", "m"},         {"hour", "h"},          {"hours", "h"}, {"hr", "h"},
     {"day", "d"},         {"days", "d"}}};

constexpr std::array<EverydayUnit, 6> everyday_sizes{
    {{"byte", "B"}, {"bytes", "B"}, {"k", "KiB"}, {"m", "MiB"}, {"g", "GiB"}, {"t", "TiB"}}};

/// Exactly whole * factor + fraction, without a trip through floating point for whole numbers.
std::optional<std::uint64_t> scale(std::string_view whole, std::string_view fraction, std::uint64_t factor) {
  std::uint64_t value = 0;
  if (const auto [end, failed] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
      failed != std::errc{} || end != whole.data() + whole.size()) {
    return std::nullopt;
  }
  std::uint64_t total = 0;
  if (__builtin_mul_overflow(value, factor, &total)) {
    return std::nullopt;
  }
  double part = 0;
  double weight = 1;
  for (const char digit : fraction) {
    weight /= 10;
    part += weight * (digit - '0');
  }
  if (__builtin_add_overflow(total, static_cast<std::uint64_t>(std::llround(part * static_cast<double>(factor))), &total)) {
    return std::nullopt;
  }
  return total;
}

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && std::isdigit(static_cast<unsigned char>(text[count])) != 0) {
    ++count;
  }
  return count;
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

/// The number of `text` with the unit that its unit stands for; empty where it stands for none.
std::string meant_quantity(std::string_view text, std::span<const Unit> units, std::span<const EverydayUnit> everyday) {
  std::size_t number = count_digits(text);
  if (number > 0 && text.substr(number).starts_with('.')) {
    const std::size_t decimals = count_digits(text.substr(number + 1));
    number += decimals > 0 ? 1 + decimals : 0;
  }
  std::string_view rest = text.substr(number);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string written = in_small_letters(rest);
  constexpr std::size_t longest = 40;  // Nobody means a longer one.
  if (number == 0 || written.empty() || text.size() > longest) {
    return {};
  }
  for (const Unit& unit : units) {
    if (in_small_letters(unit.name) == written) {
      return std::string(text.substr(0, number)).append(unit.name);
    }
  }
  const auto known = std::ranges::find(everyday, std::string_view(written), &EverydayUnit::name);
  return known == everyday.end() ? std::string() : std::string(text.substr(0, number)).append(known->unit);
}

/// `kind` is "duration" or "size", `units` what the message offers.
Result<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units, std::string_view kind,
                                     std::string_view offer, std::uint64_t limit) {
  const auto wrong = [&](std::string_view why) {
    return failure("'" + std::string(text) + "' is not a " + std::string(kind) + ": " + std::string(why) + " (" +
                   std::string(offer) + ")");
  };
  if (text == "0") {
    return 0;
  }
  if (text.starts_with('-')) {
    return wrong("it is negative");
  }
  const std::size_t whole_digits = count_digits(text);
  if (whole_digits == 0) {
    return wrong("it does not start with a number");
  }
  std::string_view rest = text.substr(whole_digits);
  std::string_view fraction;
  if (rest.starts_with('.')) {
    const std::size_t digits = count_digits(rest.substr(1));
    if (digits == 0) {
      return wrong("no digit after the decimal point");
    }
    fraction = rest.substr(1, digits);
    rest = rest.substr(1 + digits);
  }
  if (rest.empty()) {
    return wrong("the unit is missing");
  }
  for (const Unit& unit : units) {
    if (unit.name == rest) {
      const std::optional<std::uint64_t> total = scale(text.substr(0, whole_digits), fraction, unit.factor);
      if (!total || *total > limit) {
        return wrong("it is too large");
      }
      return *total;
    }
  }
  return wrong("unknown unit '" + std::string(rest) + "'");
}

/// `value` with at most `decimals` decimals and no trailing zeros.
std::string trimmed(double value, int decimals) {
  std::array<char, 32> buffer{};
  const auto [end, failed] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  std::string text(buffer.data(), end);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
      text.pop_back();
    }
  }
  return text;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const Result<std::uint64_t> count =
      parse_quantity(text, duration_units, "duration", "write a number and a unit such as 250ms, 10s, 5m, 2h, 1d",
                     static_cast<std::uint64_t>(longest_duration.count()));
  if (!count) {
    return std::unexpected(count.error());
  }
  return Duration(static_cast<Duration::rep>(*count));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_quantity(text, size_units, "size", "write a number and a unit such as 512KiB, 64MiB, 2GiB, 10MB",
                        static_cast<std::uint64_t>(INT64_MAX));
}

std::string meant_duration(std::string_view text) { return meant_quantity(text, duration_units, everyday_durations); }
std::string meant_size(std::string_view text) { return meant_quantity(text, size_units, everyday_sizes); }

std::string format_duration(Duration duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) {
    return "0";
  }
  for (auto unit = duration_units.rbegin(); unit != duration_units.rend(); ++unit) {
    if (count % unit->factor == 0) {
      return std::to_string(count / unit->factor) + std::string(unit->name);
    }
  }
  return std::to_string(count) + "ns";
}

std::string describe_duration(Duration duration) {
  // In whole numbers: a line for each restart asks for this.
  const auto ns = static_cast<std::uint64_t>(std::max(duration, Duration::zero()).count());
  const auto tenths = [ns](std::uint64_t unit, std::string_view name) {
    const std::uint64_t count = (ns + unit / 20) / (unit / 10);
    std::string text = std::to_string(count / 10);
    if (count % 10 != 0) {
      text += '.';
      text += static_cast<char>('0' + count % 10);
    }
    return text.append(name);
  };
  const auto whole_units = [ns](std::uint64_t unit, std::string_view name) {
    return std::to_string((ns + unit / 2) / unit).append(name);
  };
  constexpr std::uint64_t us = 1'000, ms = 1'000'000, s = 1'000'000'000;
  // The borders are where rounding would say 1000 us, 1000 ms or 60 s.
  if (ns < 999'500) {
    return whole_units(us, " us");
  }
  if (ns < 999'500 * us) {
    return ns < 10 * ms ? tenths(ms, " ms") : whole_units(ms, " ms");
  }
  if (ns < 59'500 * ms) {
    return ns < 10 * s ? tenths(s, " s") : whole_units(s, " s");
  }
  const std::uint64_t whole = (ns + s / 2) / s;
  const auto pair = [](std::uint64_t big, std::string_view big_unit, std::uint64_t small, std::string_view small_unit) {
    std::string text = std::to_string(big) + " " + std::string(big_unit);
    return small == 0 ? text : text + " " + std::to_string(small) + " " + std::string(small_unit);
  };
  if (whole < 3600) {
    return pair(whole / 60, "min", whole % 60, "s");
  }
  if (whole < 86'400) {
    return pair(whole / 3600, "h", whole % 3600 / 60, "min");
  }
  return pair(whole / 86'400, "d", whole % 86'400 / 3600, "h");
}

std::string describe_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> names{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < names.size()) {
    value /= 1024;
    ++unit;
  }
  return trimmed(value, value < 10 ? 1 : 0) + " " + std::string(names[unit]);
}

}  // namespace corral
