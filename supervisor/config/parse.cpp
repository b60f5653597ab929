#include <fmt/format.h>

#include "common/base/check.hpp"
#include "supervisor/config/config.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/reader.hpp"
#include "supervisor/config/report.hpp"

namespace corral::config {

Loaded::Loaded(core::SupervisorSpec checked, Source source, Value tree)
    : spec(std::move(checked)), source_(std::move(source)), tree_(std::make_shared<const Value>(std::move(tree))) {}

Diagnostic Loaded::diagnose(std::string_view pointer, std::string message, std::string suggestion) const {
  CORRAL_CHECK(pointer.empty() || pointer.front() == '/');
  const Found found = follow(*tree_, pointer);
  Range range = found.value->range;
  if (!found.whole) {
    // The key is not in the file: show whose default it is about.
    range = found.value->key_range.end != 0 ? found.value->key_range : Range{range.begin, range.begin + 1};
  }
  Diagnostic diagnostic = make_diagnostic(source_.name, source_.text, range.begin, range.end);
  diagnostic.pointer = std::string(pointer);
  diagnostic.message = std::move(message);
  diagnostic.suggestion = std::move(suggestion);
  return diagnostic;
}

std::expected<Loaded, std::vector<Diagnostic>> parse(const Source& source, const Environment& lookup) {
  Report report(source.name, source.text);
  if (source.text.size() > longest_file) {
    report.add({0, 0}, fmt::format("the file is {} bytes long; a configuration has at most {}", source.text.size(), longest_file),
               "is this the right file?");
    return std::unexpected(report.diagnostics(nullptr));
  }
  std::optional<Value> tree = read_json(source.text, report);
  if (!tree) {
    return std::unexpected(report.diagnostics(nullptr));
  }
  Context context{report, lookup};
  std::optional<core::SupervisorSpec> spec = decode(configuration_form(), *tree, context);
  if (!report.empty()) {
    return std::unexpected(report.diagnostics(&*tree));
  }
  CORRAL_CHECK(spec.has_value());
  return Loaded(std::move(*spec), source, std::move(*tree));
}

std::string pointer(std::initializer_list<std::string_view> steps) {
  std::string out;
  for (const std::string_view step : steps) {
    out += '/' + pointer_step(step);
  }
  return out;
}

}  // namespace corral::config
