// The command line of `corral top`.
#pragma once

#include <optional>
#include <string_view>

#include "supervisor/cli/top.hpp"

namespace CLI {
class App;
}

namespace corral::cli {

class TopLine {
 public:
  /// Its options only where `word` names it, since describing them takes time.
  void add_to(CLI::App& app, std::string_view word);
  /// Nothing where it was not parsed.
  [[nodiscard]] std::optional<int> run() const;

 private:
  TopOptions options_;
  CLI::App* parsed_ = nullptr;
};

}  // namespace corral::cli
