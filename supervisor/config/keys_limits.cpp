// The table, part: "limits".
#include <sys/resource.h>

#include <array>

#include "common/base/units.hpp"
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {
namespace {

using core::ResourceLimit;

/// How much, or nothing for "unlimited".
struct Amount {
  std::optional<std::uint64_t> value;
};

struct Bounds {
  Amount soft;
  Amount hard;
};

enum class Unit { count, bytes, seconds };

Form<Amount> text_amount(Unit unit) {
  Form<Amount> form;
  form.schema = [unit]() -> std::string {
    return unit != Unit::bytes
               ? R"("type":"string","enum":["unlimited"])"
               : fmt::format(R"("type":"string","pattern":{})", json_string("^(?:unlimited|" + size_pattern() + ")$"));
  };
  form.words = unit == Unit::bytes ? R"(a size such as "64MiB", or "unlimited")" : R"("unlimited")";
  form.kinds = only(Kind::string);
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<Amount> {
    if (value.text == "unlimited") {
      return Amount{};
    }
    const Result<std::uint64_t> size = parse_size(value.text);
    if (unit != Unit::bytes || !looks_like_size(value.text)) {
      const bool sized = unit == Unit::bytes && !size && value.text.size() < 40;
      const std::string number = unit == Unit::bytes ? "" : "a number without quotes, or ";
      constexpr std::array<std::string_view, 1> unlimited{"unlimited"};
      context.report.add(
          value.range,
          sized ? printable(size.error().message) : fmt::format("expected {}{}, found {}", number, words, in_quotes(value.text)),
          sized && !meant_size(value.text).empty() ? did_you_mean(meant_size(value.text)) : did_you_mean(value.text, unlimited));
      return std::nullopt;
    }
    if (!size) {
      context.report.add_beyond_schema(value.range, fmt::format("{} is too large a size", in_quotes(value.text)));
      return std::nullopt;
    }
    return Amount{*size};
  };
  return form;
}

Form<Amount> amount(Unit unit) {
  const auto from_number = [](std::int64_t count) { return Amount{static_cast<std::uint64_t>(count)}; };
  Form<std::int64_t> number = integer(0, INT64_MAX);
  number.words = unit == Unit::bytes ? "a number of bytes" : unit == Unit::seconds ? "a number of seconds" : "a number";
  number.advice = {};
  return either(converted<Amount>(number, from_number), text_amount(unit));
}

/// Soft above hard is what setrlimit refuses.
void check_bounds(const Bounds& bounds, const Value& value, Context& context) {
  const bool above = bounds.hard.value && (!bounds.soft.value || *bounds.soft.value > *bounds.hard.value);
  if (above) {
    const Value* soft = value.find("soft");
    context.report.add_beyond_schema(soft != nullptr ? soft->range : value.range, "the soft limit is above the hard one");
  }
}

Form<Bounds> bounds(Unit unit) {
  const auto both = [](Amount amount) { return Bounds{amount, amount}; };
  return either(converted<Bounds>(amount(unit), both),
                object_form<Bounds>(
                    "A limit's two bounds", "In place of one value for both.",
                    {field<Bounds>(
                         "soft", [](auto& bounds) -> auto& { return bounds.soft; }, [=] { return amount(unit); },
                         {.meaning = "The limit in force, which the worker may raise up to the hard one.",
                          .example = "1024",
                          .required = true}),
                     field<Bounds>(
                         "hard", [](auto& bounds) -> auto& { return bounds.hard; }, [=] { return amount(unit); },
                         {.meaning = "Beyond this a worker without privileges cannot go.", .example = "4096", .required = true})},
                    check_bounds));
}

struct Limits {
  std::vector<ResourceLimit> all;
};

Field<Limits> limit(std::string_view name, int resource, const Shared<Bounds>& form, std::string_view meaning,
                    std::string_view example) {
  Field<Limits> field = plain_field<Limits>(name, [form] { return form->words; },
                                            {.meaning = meaning, .example = example, .otherwise = "the supervisor's own"}, {});
  field.schema = form->schema;
  if (resource == RLIMIT_NOFILE) {
    field.sections = form->sections;  // All of them look alike: once is enough on the reference page.
  }
  field.read = [=](Limits& limits, const Value& value, Context& context) {
    if (const std::optional<Bounds> decoded = decode(*form, value, context)) {
      limits.all.push_back({resource, decoded->soft.value, decoded->hard.value});
    }
  };
  return field;
}

}  // namespace

Form<std::vector<ResourceLimit>> limits_form() {
  const auto count = shared(bounds(Unit::count));
  const auto bytes = shared(bounds(Unit::bytes));
  const auto seconds = shared(bounds(Unit::seconds));
  std::vector<Field<Limits>> fields{
      limit("nofile", RLIMIT_NOFILE, count, "Open files.", R"({"soft": 1024, "hard": 4096})"),
      limit("nproc", RLIMIT_NPROC, count, "Processes and threads of the worker's user; root is exempt.", "512"),
      limit("core", RLIMIT_CORE, bytes, "Size of a core dump; 0 writes none.", "0"),
      limit("cpu", RLIMIT_CPU, seconds, "CPU time of one life, in seconds; SIGXCPU follows.", "3600"),
      limit("as", RLIMIT_AS, bytes, "Address space.", R"("4GiB")"),
      limit("data", RLIMIT_DATA, bytes, "Data segment and private mappings.", R"("2GiB")"),
      limit("stack", RLIMIT_STACK, bytes, "Stack of the main thread.", R"("8MiB")"),
      limit("fsize", RLIMIT_FSIZE, bytes, "Size of a file that the worker writes; SIGXFSZ follows.", R"("1GiB")"),
      limit("memlock", RLIMIT_MEMLOCK, bytes, "Locked memory.", R"("unlimited")"),
      limit("msgqueue", RLIMIT_MSGQUEUE, bytes, "POSIX message queues of the user.", R"("1MiB")"),
      limit("sigpending", RLIMIT_SIGPENDING, count, "Signals queued for the user.", "1024"),
      limit("rtprio", RLIMIT_RTPRIO, count, "Highest real-time priority.", "0")};
  return converted<std::vector<ResourceLimit>>(
      object_form<Limits>("Resource limits", "As setrlimit(2) has them: one value for the soft and the hard limit, or both.",
                          std::move(fields)),
      [](Limits limits) { return std::move(limits.all); });
}

}  // namespace corral::config
