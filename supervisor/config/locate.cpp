// Which line of a file decides.
#include <algorithm>

#include "supervisor/config/config.hpp"
#include "supervisor/config/reader.hpp"
#include "supervisor/config/report.hpp"
#include "supervisor/config/text.hpp"
#include "supervisor/config/value.hpp"

namespace corral::config {
namespace {

constexpr std::size_t longest_text = 100;

std::string line_at(std::string_view text, std::size_t at) {
  const std::size_t begin = text.rfind('\n', at == 0 ? 0 : at - 1);
  text.remove_prefix(begin == std::string_view::npos ? 0 : begin + (text[begin] == '\n' ? 1 : 0));
  text = text.substr(0, text.find('\n'));
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return {};
  }
  text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
  const std::size_t kept = whole_characters(text, longest_text);
  return printable(text.substr(0, kept)) + (kept < text.size() ? "…" : "");
}

KeyPlace place_of(const Source& source, const Value& root, std::string_view pointer) {
  const Found found = follow(root, pointer);
  const Range range = found.value->key_range.end != 0 ? found.value->key_range : found.value->range;
  KeyPlace place;
  place.line = 1 + static_cast<std::size_t>(std::ranges::count(source.text.substr(0, range.begin), '\n'));
  place.text = line_at(source.text, range.begin);
  // `"restart": "always"` writes /restart/when.
  place.written = found.whole || (found.value->kind == Kind::string && pointer.ends_with("/when"));
  return place;
}

}  // namespace

std::vector<KeyPlace> locate(const Source& source, const std::vector<std::string>& pointers) {
  std::vector<KeyPlace> places(pointers.size());
  Report report(source.name, source.text);
  const std::optional<Value> tree = source.text.size() > longest_file ? std::nullopt : read_json(source.text, report);
  if (tree) {
    std::ranges::transform(pointers, places.begin(),
                           [&](const std::string& pointer) { return place_of(source, *tree, pointer); });
  }
  return places;
}

}  // namespace corral::config
