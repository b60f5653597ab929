// The table, part: "restart".
#include "common/base/units.hpp"
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {
namespace {

using core::RestartLimit;
using core::RestartPolicy;
using core::RestartWhen;
using core::ThenDo;

Form<RestartWhen> when_form() {
  return choice<RestartWhen>(
      {{"always", RestartWhen::always}, {"on-failure", RestartWhen::on_failure}, {"never", RestartWhen::never}});
}

Form<std::vector<int>> success_codes_form() {
  const auto narrow = [](std::int64_t code) { return static_cast<int>(code); };
  const auto write = [](const int& code) { return std::to_string(code); };
  Form<std::vector<int>> codes =
      list_of(converted<int>(integer(0, 255), narrow, write), "a list of exit codes, 0 to 255", {.least = 0, .unique = true});
  return converted<std::vector<int>>(
      codes,
      [](std::vector<int> all) {
        std::ranges::sort(all);
        return all;
      },
      codes.write);
}

Form<std::optional<RestartLimit>> limit_form() {
  Form<std::optional<RestartLimit>> none;
  none.schema = literal(R"("type":"null")");
  none.words = "`null` for no limit";
  none.kinds = only(Kind::null);
  none.decode = [](const Value&, Context&) { return std::optional(std::optional<RestartLimit>{}); };
  const auto narrow = [](std::int64_t count) { return static_cast<std::uint32_t>(count); };
  auto count =
      converted<std::uint32_t>(integer(0, 1'000'000), narrow, [](const std::uint32_t& value) { return std::to_string(value); });
  const Form<RestartLimit> object = object_form<RestartLimit>(
      "The restart limit", "When a program is given up.",
      {field<RestartLimit>(
           "restarts", [](auto& limit) -> auto& { return limit.restarts; }, [=] { return count; },
           {.meaning = "So many unhealthy exits of all workers of the program together are forgiven; one "
                       "more within the window and the program has failed.",
            .example = "5"}),
       field<RestartLimit>(
           "within", [](auto& limit) -> auto& { return limit.within; }, [] { return duration(Zero::refused); },
           {.meaning = "The length of the sliding window.", .example = R"("60s")"})});
  return either(converted<std::optional<RestartLimit>>(object, [](RestartLimit limit) { return std::optional(limit); }), none);
}

/// A first delay that is longer than the longest one cannot be meant.
void check_delays(const RestartPolicy& policy, const Value& value, Context& context) {
  if (policy.delay <= policy.max_delay) {
    return;
  }
  const Value* longest = value.find("max_delay");
  const Value* first = value.find("delay");
  const Value& place = longest != nullptr ? *longest : first != nullptr ? *first : value;
  context.report.add_beyond_schema(
      place.range,
      fmt::format("delay {} is longer than max_delay {}{}", format_duration(policy.delay), format_duration(policy.max_delay),
                  longest == nullptr ? ", which is its default" : ""),
      fmt::format("set \"max_delay\": \"{}\" or more", format_duration(policy.delay)));
}

Form<RestartPolicy> object() {
  return object_form<RestartPolicy>(
      "The restart policy",
      "A worker that ends is judged by it. The first restart after a healthy life is immediate; each further unhealthy "
      "exit in a row waits `delay` × `factor`ⁿ, at most `max_delay`, more or less `jitter`. A launch that fails is an "
      "unhealthy exit like any other.",
      {field<RestartPolicy>("when", [](auto& policy) -> auto& { return policy.when; }, when_form,
                            {.meaning = "Which ends of a worker are followed by a restart: every one, those without "
                                        "success, or none.",
                             .example = R"("always")"}),
       field<RestartPolicy>(
           "success_codes", [](auto& policy) -> auto& { return policy.success_codes; }, success_codes_form,
           {.meaning = "The exit codes that count as success. A death by signal never does.", .example = "[0, 3]"}),
       field<RestartPolicy>(
           "delay", [](auto& policy) -> auto& { return policy.delay; }, [] { return duration(Zero::allowed); },
           {.meaning = "The wait after the first unhealthy exit. After a launch that failed it is at least 10 ms, whatever "
                       "this says.",
            .example = R"("250ms")"}),
       field<RestartPolicy>(
           "factor", [](auto& policy) -> auto& { return policy.factor; }, [] { return number(1, 1000); },
           {.meaning = "By how much each further wait is longer than the one before.", .example = "1.5"}),
       field<RestartPolicy>(
           "max_delay", [](auto& policy) -> auto& { return policy.max_delay; }, [] { return duration(Zero::allowed); },
           {.meaning = "No wait is longer; not shorter than `delay`.", .example = R"("1m")"}),
       field<RestartPolicy>(
           "jitter", [](auto& policy) -> auto& { return policy.jitter; }, [] { return number(0, 1); },
           {.meaning = "The share of a wait by which it may be longer or shorter at random, so that "
                       "workers do not all come back at once.",
            .example = "0.25"}),
       field<RestartPolicy>(
           "healthy_after", [](auto& policy) -> auto& { return policy.healthy_after; }, [] { return duration(Zero::allowed); },
           {.meaning = "A worker that has lived so long is healthy: its past is forgotten.", .example = R"("30s")"}),
       field<RestartPolicy>("limit", [](auto& policy) -> auto& { return policy.limit; }, limit_form,
                            {.meaning = "Beyond how many unhealthy exits the program is given up.",
                             .example = R"({"restarts": 5, "within": "60s"})",
                             .otherwise = "the defaults of its keys"}),
       field<RestartPolicy>(
           "then", [](auto& policy) -> auto& { return policy.then; },
           [] { return choice<ThenDo>({{"fail", ThenDo::fail}, {"shutdown", ThenDo::shutdown}}); },
           {.meaning = "What a program that is given up does: only it fails, or everything is stopped "
                       "and the exit status is 1.",
            .example = R"("shutdown")"})},
      check_delays);
}

}  // namespace

Form<RestartPolicy> restart_form() {
  const auto from_word = [](RestartWhen when) {
    RestartPolicy policy;
    policy.when = when;
    return policy;
  };
  const auto write = [](const RestartPolicy& policy) { return when_form().write(policy.when); };
  return either(converted<RestartPolicy>(when_form(), from_word, std::function<std::string(const RestartPolicy&)>(write)),
                object());
}

}  // namespace corral::config
