// The page of a timeline, up to its data: timeline.html with timeline.js in it. The build makes the .cpp of it.
#pragma once

#include <string_view>

namespace corral::shell {

extern const std::string_view timeline_page;

}  // namespace corral::shell
