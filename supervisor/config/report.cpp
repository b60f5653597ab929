#include "supervisor/config/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corral::config {

void Report::note(Problem problem) {
  if (full()) {
    ++dropped_;
  } else {
    problems_.push_back(std::move(problem));
  }
}

std::vector<Diagnostic> Report::diagnostics(const Value* root) {
  std::ranges::stable_sort(problems_, {}, [](const Problem& problem) { return problem.where.begin; });
  std::vector<Diagnostic> out;
  for (const Problem& problem : problems_) {
    Diagnostic one = make_diagnostic(file_, text_, problem.where.begin, problem.where.end);
    one.pointer = root != nullptr ? pointer_to(*root, problem.where.begin) : problem.pointer;
    if (out.size() == most_shown_diagnostics) {
      one.message = fmt::format("and {}{} more from here on", full() ? "at least " : "", problems_.size() - out.size());
      one.suggestion = "mend the ones above first, then check again";
      out.push_back(std::move(one));
      break;
    }
    one.message = problem.message;
    one.suggestion = problem.suggestion;
    one.beyond_schema = problem.beyond_schema;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace corral::config
