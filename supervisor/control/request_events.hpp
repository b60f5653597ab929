// What a client asks of the events. Inside this room only.
#pragma once

#include <expected>

#include "supervisor/control/request.hpp"

namespace corral::control {

/// GET /v1/events: `worker`, `event`, `limit`, `after`, `follow`; a media type that is accepted, and the last event that was
/// seen.
[[nodiscard]] std::expected<Wish, Refusal> events_of(const Asked& asked);

}  // namespace corral::control
