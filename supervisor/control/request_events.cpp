#include "supervisor/control/request_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "common/base/suggest.hpp"
#include "supervisor/control/query.hpp"
#include "supervisor/core/event_names.hpp"

namespace corral::control {
namespace {

constexpr std::size_t most_named = 100;
constexpr std::size_t longest_named = 256;

std::unexpected<Refusal> refuse(std::string error) { return std::unexpected(Refusal{400, std::move(error), {}}); }

std::vector<std::string_view> names() {
  std::vector<std::string_view> all(core::notice_names.begin(), core::notice_names.end());
  all.insert(all.end(), core::shell_event_names.begin(), core::shell_event_names.end());
  all.insert(all.end(), core::hook_event_names.begin(), core::hook_event_names.end());
  return all;
}

std::optional<Refusal> mistake_in(const GetEvents& wish) {
  const auto too_long = [](const std::string& text) { return text.size() > longest_named; };
  if (wish.whom.size() > most_named || wish.events.size() > most_named || std::ranges::any_of(wish.whom, too_long)) {
    return Refusal{
        400,
        fmt::format("no more than {} workers and events are named, each of {} bytes at most", most_named, longest_named),
        {}};
  }
  const std::vector<std::string_view> known = names();
  for (const std::string& event : wish.events) {
    if (std::ranges::find(known, event) == known.end()) {
      const std::string_view near = nearest(event, known);
      return Refusal{
          400, fmt::format("there is no event '{}'{}", event, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)), {}};
    }
  }
  return std::nullopt;
}

/// Among what is accepted, whatever its weight: nobody names it who does not want it.
bool wants_stream(std::string_view accept) { return accept.find("text/event-stream") != std::string_view::npos; }

}  // namespace

std::expected<Wish, Refusal> events_of(const Asked& asked) {
  auto query = Query::read(asked.target);
  if (!query) {
    return std::unexpected(std::move(query.error()));
  }
  GetEvents wish;
  wish.whom = query->take_all("worker");
  wish.events = query->take_all("event");
  const auto limit = query->take_number("limit");
  const auto after = query->take_number("after");
  const auto follow = query->take_flag("follow");
  if (!limit || !after || !follow) {
    return std::unexpected(!limit ? limit.error() : !after ? after.error() : follow.error());
  }
  if (auto unknown = query->left_over()) {
    return std::unexpected(std::move(*unknown));
  }
  if (auto mistake = mistake_in(wish)) {
    return std::unexpected(std::move(*mistake));
  }
  wish.most = *limit;
  wish.after = *after;
  wish.follow = asked.method != "HEAD" && (*follow || wants_stream(asked.accept));
  if (wish.follow && !asked.last_event_id.empty()) {  // A reader that comes back: it knows better than its address.
    wish.after = whole_number(asked.last_event_id);
    if (!wish.after) {
      return refuse("'Last-Event-ID' is the number of an event");
    }
  }
  return wish;
}

}  // namespace corral::control
