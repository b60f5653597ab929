// What the disk thread has to say, for the loop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"

namespace corral::logs {

/// A sentence for people.
struct Notice {
  bool trouble = false;
  std::string_view event;  ///< A literal.
  std::string text;
};

struct News {
  std::vector<Notice> notices;
  std::vector<WorkerId> may_go_on;  ///< There is room for their lines again.
  bool reopened = false;            ///< All files that were to be opened anew are, but for what `reopen_trouble` says.
  std::string reopen_trouble{};     ///< Why one of them is not.
};

}  // namespace corral::logs
