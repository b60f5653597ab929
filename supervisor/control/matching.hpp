// How a path fits a route, and a media type is JSON.
#pragma once

#include <optional>
#include <string_view>

namespace corral::control {

/// What stands in `path` for the {parts} of `route`: "crunch" in "/v1/programs/crunch/scale" for "/v1/programs/{program}/scale".
/// Each part stands for one, and none of them is empty. Nothing where the path does not fit.
[[nodiscard]] std::optional<std::string_view> named_in(std::string_view path, std::string_view route);

/// Capitals and small letters of ASCII are the same, as in names of HTTP.
[[nodiscard]] bool same_word(std::string_view left, std::string_view right);

/// Media types are the same in capitals; parameters say nothing that would change JSON.
[[nodiscard]] bool is_json(std::string_view content_type);

}  // namespace corral::control
