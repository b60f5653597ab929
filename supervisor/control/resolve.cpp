// Which workers the patterns of a client mean.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "common/base/suggest.hpp"
#include "supervisor/control/request.hpp"

namespace corral::control {
namespace {

bool is_glob(std::string_view pattern) { return pattern.find_first_of("*?[\\") != std::string_view::npos; }

/// Names are looked up: a thousand of them cost a thousand workers nothing. Only globs are tried one by one.
class Meant {
 public:
  explicit Meant(const Patterns& patterns) : patterns_(patterns), found_(patterns.size()) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (is_glob(patterns[i])) {
        globs_.push_back(i);
      } else {
        names_.emplace(patterns[i], i);
      }
    }
  }

  bool has(const std::string& program, const std::string& worker) {
    bool wanted = look_up(program);
    wanted = look_up(worker) || wanted;
    for (const std::size_t i : globs_) {
      const std::string& name = patterns_[i].find('/') == std::string::npos ? program : worker;
      if (::fnmatch(patterns_[i].c_str(), name.c_str(), 0) == 0) {
        wanted = found_[i] = true;
      }
    }
    return wanted;
  }

  /// The first that has meant nobody.
  [[nodiscard]] const std::string* idle() const {
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (!found_[i] && (is_glob(patterns_[i]) || !found_[names_.at(patterns_[i])])) {
        return &patterns_[i];
      }
    }
    return nullptr;
  }

 private:
  bool look_up(const std::string& name) {
    const auto at = names_.find(name);
    if (at != names_.end()) {
      found_[at->second] = true;
    }
    return at != names_.end();
  }

  const Patterns& patterns_;
  std::vector<bool> found_;
  std::vector<std::size_t> globs_;
  std::unordered_map<std::string_view, std::size_t> names_;
};

Refusal nobody(std::string_view pattern, const View& view) {
  return {404, fmt::format("'{}' is no worker and no program of this configuration{}", pattern, suggestion(pattern, view)), {}};
}

}  // namespace

std::string suggestion(std::string_view name, const View& view) {
  std::vector<std::string_view> names;
  for (const ProgramView& program : view.programs) {
    names.emplace_back(program.name);
  }
  const std::string_view program = name.substr(0, name.find('/'));
  const std::string_view near = nearest(program, names);
  return near.empty() || near == program ? "" : fmt::format("; did you mean '{}'?", near);
}

std::optional<Refusal> refuse_unknown(std::string_view program, const View& view) {
  if (std::ranges::find(view.programs, program, &ProgramView::name) != view.programs.end()) {
    return std::nullopt;
  }
  return Refusal{404, fmt::format("'{}' is no program of this configuration{}", program, suggestion(program, view)), {}};
}

std::expected<std::vector<WorkerId>, Refusal> resolve(const Patterns& patterns, const View& view) {
  Meant meant(patterns);
  std::vector<WorkerId> workers;
  for (const ProgramView& program : view.programs) {
    for (const WorkerView& worker : program.workers) {
      if (meant.has(program.name, worker.name)) {
        workers.push_back({program.id, worker.state.index});
      }
    }
  }
  if (const std::string* idle = meant.idle()) {
    return std::unexpected(nobody(*idle, view));
  }
  return workers;
}

}  // namespace corral::control
