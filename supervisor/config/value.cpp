#include "supervisor/config/value.hpp"

#include <algorithm>
#include <charconv>

namespace corral::config {
namespace {

std::string unescaped_step(std::string_view step) {
  std::string out;
  for (std::size_t at = 0; at < step.size(); ++at) {
    const bool escape = step[at] == '~' && at + 1 < step.size() && (step[at + 1] == '0' || step[at + 1] == '1');
    out += !escape ? step[at] : step[at + 1] == '0' ? '~' : '/';
    at += escape ? 1 : 0;
  }
  return out;
}

const Value* child(const Value& parent, const std::string& step) {
  if (parent.kind == Kind::object) {
    return parent.find(step);
  }
  std::size_t index = 0;
  const auto [end, failed] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool valid = failed == std::errc{} && end == step.data() + step.size() && index < parent.parts.size();
  return parent.kind == Kind::list && valid ? &parent.parts[index] : nullptr;
}

std::size_t utf8_length(unsigned code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : 3; }

}  // namespace

const Value* Value::find(std::string_view name) const {
  const auto found = std::ranges::find(parts, name, &Value::key);
  return found == parts.end() ? nullptr : &*found;
}

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return "true or false";
    case Kind::integer: return "an integer";
    case Kind::real: return "a number";
    case Kind::string: return "a string";
    case Kind::list: return "a list";
    case Kind::object: return "an object";
  }
  return "something";
}

std::string pointer_step(std::string_view key) {
  std::string out;
  for (const char letter : key) {
    out += letter == '~' ? "~0" : letter == '/' ? "~1" : std::string(1, letter);
  }
  return out;
}

std::string pointer_to(const Value& root, std::size_t at) {
  std::string pointer;
  const Value* value = &root;
  while (true) {
    const auto begins = [](const Value& part) { return part.key_range.end != 0 ? part.key_range.begin : part.range.begin; };
    // Parts lie in the order of the text: the last one that begins at or before the place.
    const auto next = std::ranges::upper_bound(value->parts, at, {}, begins);
    if (next == value->parts.begin() || std::prev(next)->range.end <= at) {
      return pointer;
    }
    const auto part = std::prev(next);
    pointer += '/';
    pointer += value->kind == Kind::object ? pointer_step(part->key) : std::to_string(part - value->parts.begin());
    value = &*part;
  }
}

Found follow(const Value& root, std::string_view pointer) {
  const Value* value = &root;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // The slash.
    const std::size_t length = std::min(pointer.find('/'), pointer.size());
    const Value* next = child(*value, unescaped_step(pointer.substr(0, length)));
    if (next == nullptr) {
      return {value, false};
    }
    value = next;
    pointer.remove_prefix(length);
  }
  return {value, true};
}

std::size_t place_in_string(std::string_view text, const Value& value, std::size_t index) {
  std::size_t at = value.range.begin + 1;
  std::size_t produced = 0;
  while (produced < index && at < value.range.end) {
    if (text[at] != '\\') {
      ++at;
      ++produced;
      continue;
    }
    if (text[at + 1] != 'u') {
      at += 2;
      ++produced;
      continue;
    }
    unsigned code = 0;
    std::from_chars(text.data() + at + 2, text.data() + at + 6, code, 16);
    const bool pair = code >= 0xD800 && code <= 0xDBFF;  // Two escapes, one character of four bytes.
    at += pair ? 12 : 6;
    produced += pair ? 4 : utf8_length(code);
  }
  return std::min(at, value.range.end);
}

}  // namespace corral::config
