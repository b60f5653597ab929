#include "supervisor/control/query.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/base/suggest.hpp"

namespace corral::control {
namespace {

std::optional<std::string> decoded(std::string_view text) {
  constexpr int hexadecimal = 16;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned byte = 0;
    const char* begin = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(begin, begin + 2, byte, hexadecimal).ptr != begin + 2) {
      return std::nullopt;
    }
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

std::unexpected<Refusal> refuse(std::string error) { return std::unexpected(Refusal{400, std::move(error), {}}); }

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end ? std::optional(number) : std::nullopt;
}

std::expected<Query, Refusal> Query::read(std::string_view target) {
  Query query;
  const std::size_t mark = target.find('?');
  std::string_view rest = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    if (one.empty()) {
      continue;
    }
    const std::size_t equals = std::min(one.find('='), one.size());
    auto name = decoded(one.substr(0, equals));
    auto value = decoded(one.substr(std::min(equals + 1, one.size())));
    if (!name || !value) {
      return refuse("behind '%' stand two hexadecimal digits");
    }
    query.parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::vector<std::string> Query::take_all(std::string_view name) {
  known_.emplace_back(name);
  std::vector<std::string> values;
  std::erase_if(parameters_, [&](std::pair<std::string, std::string>& parameter) {
    if (parameter.first != name) {
      return false;
    }
    values.push_back(std::move(parameter.second));
    return true;
  });
  return values;
}

std::optional<std::string> Query::take(std::string_view name) {
  std::vector<std::string> all = take_all(name);
  return all.empty() ? std::nullopt : std::optional(std::move(all.back()));
}

std::expected<std::optional<std::uint64_t>, Refusal> Query::take_number(std::string_view name) {
  const std::optional<std::string> text = take(name);
  if (!text) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> number = whole_number(*text);
  return number ? std::expected<std::optional<std::uint64_t>, Refusal>(number)
                : refuse(fmt::format("'{}' is a whole number", name));
}

std::expected<bool, Refusal> Query::take_flag(std::string_view name) {
  const std::optional<std::string> text = take(name);
  if (text && *text != "true" && *text != "false") {
    return refuse(fmt::format("'{}' is true or false", name));
  }
  return text == "true";
}

std::optional<Refusal> Query::left_over() const {
  if (parameters_.empty()) {
    return std::nullopt;
  }
  const std::string& name = parameters_.front().first;
  const std::string_view near = nearest(name, std::vector<std::string_view>(known_.begin(), known_.end()));
  return Refusal{
      400, fmt::format("there is no '{}' here{}", name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)), {}};
}

}  // namespace corral::control
