#include "supervisor/config/expand.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "supervisor/config/text.hpp"

namespace corral::config {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

/// The length of a variable's name at the front of `text`; 0 where there is none.
std::size_t name_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && (letters.contains(text[length]) || (length > 0 && text[length] >= '0' && text[length] <= '9'))) {
    ++length;
  }
  return length;
}

class Expansion {
 public:
  Expansion(const Value& value, Context& context) : value_(value), context_(context), text_(value.text) {}

  std::optional<std::string> run() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("$${")) {
        out_ += "${";
        at_ += 3;
      } else if (rest.starts_with("${")) {
        if (!substitute(rest)) {
          return std::nullopt;
        }
      } else {
        const std::size_t plain = std::min(rest.find('$', 1), rest.size());
        out_ += rest.substr(0, plain);
        at_ += plain;
      }
      if (!fits()) {
        return std::nullopt;
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] Range place(std::size_t begin, std::size_t end) const {
    const std::string_view source = context_.report.text();
    return {place_in_string(source, value_, begin), place_in_string(source, value_, end)};
  }

  bool substitute(std::string_view rest) {
    const std::string_view name = rest.substr(2, name_length(rest.substr(2)));
    const std::string_view behind = rest.substr(2 + name.size());
    const bool has_default = behind.starts_with(":-");
    const std::size_t close = has_default ? behind.find('}') : 0;
    if (name.empty() || behind.empty() || close == std::string_view::npos || behind[close] != '}') {
      malformed(rest, name);
      return false;
    }
    const std::size_t length = 2 + name.size() + close + 1;
    std::optional<std::string> found = context_.lookup(name);
    if (has_default && (!found || found->empty())) {
      found = std::string(behind.substr(2, close - 2));
    }
    if (!found) {
      context_.report.add_beyond_schema(
          place(at_, at_ + length), fmt::format("the environment variable {} is not set", printable(name)),
          fmt::format("set it before starting corral, or give a default: ${{{}:-value}}", printable(name)));
      return false;
    }
    if (found->contains('\0')) {
      context_.report.add_beyond_schema(place(at_, at_ + length), "the variable's value holds a NUL byte");
      return false;
    }
    out_ += *found;
    context_.expanded += found->size();
    at_ += length;
    return true;
  }

  void malformed(std::string_view rest, std::string_view name) {
    const std::size_t end = std::min({rest.find('}'), rest.size() - 1, std::size_t{60}}) + 1;
    const bool unclosed = rest.find('}') == std::string_view::npos;
    context_.report.add(place(at_, at_ + std::min(end, rest.size())),
                        unclosed       ? "this ${ is never closed"
                        : name.empty() ? "no name of a variable after ${"
                                       : "after the name of a variable only } or :-default} may follow",
                        "write ${NAME} or ${NAME:-default}; for a literal ${ write $${");
  }

  bool fits() {
    if (out_.size() >= longest_argument) {
      context_.report.add_beyond_schema(
          value_.range,
          fmt::format("{} bytes or more once variables are filled in; the kernel takes fewer in one argument or variable",
                      longest_argument),
          "hand it over in a file");
      return false;
    }
    if (context_.expanded > longest_expansion) {
      context_.report.add_beyond_schema(
          value_.range, fmt::format("the variables of this file make more than {} bytes of text", longest_expansion));
      return false;
    }
    return true;
  }

  const Value& value_;
  Context& context_;
  std::string_view text_;
  std::string out_;
  std::size_t at_ = 0;
};

}  // namespace

bool refuse_nul(const Value& value, Context& context) {
  const std::size_t nul = value.text.find('\0');
  if (nul == std::string::npos) {
    return true;
  }
  const std::string_view source = context.report.text();
  context.report.add({place_in_string(source, value, nul), place_in_string(source, value, nul + 1)},
                     "a NUL character, which ends a string for the kernel", "remove it");
  return false;
}

std::optional<std::string> expand(const Value& value, Context& context) {
  if (!refuse_nul(value, context)) {
    return std::nullopt;
  }
  return Expansion(value, context).run();
}

}  // namespace corral::config
