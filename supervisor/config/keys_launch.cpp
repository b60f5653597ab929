// The table, part: what a worker is launched with. "workers", "command", "environment", "inherit_environment", "cores".
#include "supervisor/config/expand.hpp"
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {
namespace {

using core::CoresPolicy;
using core::CpuSet;

/// For a command that is written as one string: the list that was meant, split at blanks.
std::string command_advice(const Value& value) {
  if (value.kind != Kind::string || value.text.size() > 200 || value.text.find_first_not_of(" \t") == std::string::npos) {
    return R"(write a list: ["python3", "work.py"])";
  }
  if (value.text.find_first_of("|&;<>()`\"'*?") != std::string::npos) {
    return fmt::format("write a list; for a shell: [\"sh\", \"-c\", {}]", printable(json_string(value.text)));
  }
  std::string words;
  for (std::size_t at = value.text.find_first_not_of(" \t"); at != std::string::npos;) {
    const std::size_t end = value.text.find_first_of(" \t", at);
    words += (words.empty() ? "" : ", ") + printable(json_string(value.text.substr(at, end - at)));
    at = value.text.find_first_not_of(" \t", std::min(end, value.text.size()));
  }
  return fmt::format("write a list: [{}]", words);
}

std::optional<std::string> refuse_variable(std::string_view name) {
  if (name.empty()) {
    return "an environment variable needs a name";
  }
  if (name.find_first_of(std::string_view("=\0", 2)) != std::string_view::npos) {
    return fmt::format("{} cannot be the name of an environment variable: it holds '=' or NUL", in_quotes(name));
  }
  if (name.starts_with("CORRAL_")) {
    return fmt::format("{} is reserved: names that begin with CORRAL_ are set by corral itself", in_quotes(name));
  }
  return std::nullopt;
}

/// The names of the environment that a worker may be given; also for the list of inherited ones.
constexpr std::string_view own_variable_pattern = R"(^(?!CORRAL_)[^=\u0000]+$)";
constexpr std::string_view any_variable_pattern = R"(^[^=\u0000]+$)";

Form<std::string> variable_name() {
  Form<std::string> form = plain_string("a variable's name");
  form.schema = [] { return fmt::format(R"("type":"string","pattern":{})", json_string(any_variable_pattern)); };
  form.decode = [](const Value& value, Context& context) -> std::optional<std::string> {
    if (value.text.empty() || value.text.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      context.report.add(value.range, fmt::format("{} is not a variable's name", in_quotes(value.text)));
      return std::nullopt;
    }
    return value.text;
  };
  return form;
}

/// Numbers and ranges, commas between them; blanks may follow a comma. What the numbers are, CpuSet judges.
bool looks_like_cpu_list(std::string_view text) {
  bool digit = false;  // The last letter was one.
  bool range = false;  // A dash was seen since the last comma.
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (letter >= '0' && letter <= '9') {
      digit = true;
    } else if (letter == '-' && digit && !range) {
      range = true;
      digit = false;
    } else if (letter == ',' && digit) {
      range = false;
      digit = false;
      at += text.substr(at + 1).starts_with(" ") ? 1U : 0U;
    } else {
      return false;
    }
  }
  return digit;
}

std::optional<CoresPolicy> decode_cores_text(const Value& value, std::string_view words, Context& context) {
  if (value.text == "separate") {
    return core::SeparateCores{};
  }
  if (value.text == "shared") {
    return core::SharedCores{};
  }
  if (!looks_like_cpu_list(value.text)) {
    constexpr std::array<std::string_view, 2> choices{"separate", "shared"};
    context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(value.text)),
                       did_you_mean(value.text, choices));
    return std::nullopt;
  }
  Result<CpuSet> cpus = CpuSet::parse(value.text);
  if (!cpus) {
    context.report.add_beyond_schema(value.range, printable(cpus.error().message));
    return std::nullopt;
  }
  return core::ListedCores{std::move(*cpus)};
}

Form<CoresPolicy> cores_text() {
  Form<CoresPolicy> form;
  form.schema = literal(R"("type":"string","pattern":"^(?:separate|shared|[0-9]+(?:-[0-9]+)?(?:, ?[0-9]+(?:-[0-9]+)?)*)$")");
  form.words = R"("separate", "shared", a list of CPUs such as "0-3,8")";
  form.kinds = only(Kind::string);
  form.advice = [](const Value& value) {
    const std::optional<std::int64_t> count = whole_number(value);
    return value.kind == Kind::list ? R"(write the CPUs as one string: "0-3,8")"
           : count && *count > 0    ? fmt::format("for {} CPUs a worker write {{\"per_worker\": {}}}", *count, *count)
                                    : "";
  };
  form.decode = [words = form.words](const Value& value, Context& context) { return decode_cores_text(value, words, context); };
  return form;
}

}  // namespace

Form<core::WorkerCount> workers_form() {
  const auto write = [](const core::WorkerCount& count) {
    const auto* fixed = std::get_if<std::uint32_t>(&count);
    return fixed != nullptr ? std::to_string(*fixed) : std::string("\"auto\"");
  };
  const auto number = converted<core::WorkerCount>(
      integer(1, 100'000), [](std::int64_t count) -> core::WorkerCount { return static_cast<std::uint32_t>(count); }, write);
  const auto word =
      converted<core::WorkerCount>(choice<bool>({{"auto", true}}), [](bool) -> core::WorkerCount { return core::AutoWorkers{}; });
  Form<core::WorkerCount> form = either(number, word);
  // "4" is a string and so is taken for a misspelt "auto": say what was meant.
  form.decode = [inner = form.decode, word = form.words, advice = number.advice](
                    const Value& value, Context& context) -> std::optional<core::WorkerCount> {
    if (value.kind == Kind::string && !advice(value).empty()) {
      refuse_kind(value, word, advice, context);
      return std::nullopt;
    }
    return inner(value, context);
  };
  return form;
}

Form<CoresPolicy> cores_form() {
  struct PerWorker {
    std::int64_t count = 1;
  };
  Form<PerWorker> object = object_form<PerWorker>(
      "Several cores for each worker", "For workers that run threads of their own.",
      {field<PerWorker>(
          "per_worker", [](auto& cores) -> auto& { return cores.count; }, [] { return integer(1, CpuSet::highest + 1); },
          {.meaning = "So many cores of its own for each worker.", .example = "2", .required = true})});
  object.words = R"({"per_worker": N})";
  const auto narrow = [](PerWorker cores) -> CoresPolicy { return core::SeparateCores{static_cast<std::uint32_t>(cores.count)}; };
  return either(cores_text(), converted<CoresPolicy>(object, narrow));
}

Form<std::vector<std::string>> command_form() {
  const auto argument = shared(expandable_string("a string", 0));
  const auto program = shared(expandable_string("the program to run", 1));
  Form<std::vector<std::string>> form;
  form.schema = [=] {
    return fmt::format(R"("type":"array","minItems":1,"prefixItems":[{{{}}}],"items":{{{}}})", program->schema(),
                       argument->schema());
  };
  form.words = "a list of strings: the program and its arguments";
  form.kinds = only(Kind::list);
  form.advice = command_advice;
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<std::vector<std::string>> {
    if (value.parts.empty()) {
      refuse_short_list(value, 1, words, context);
      return std::nullopt;
    }
    std::vector<std::string> all;
    std::size_t total = 0;
    for (const Value& part : value.parts) {
      if (context.report.full()) {
        break;
      }
      std::optional<std::string> one = decode(all.empty() ? *program : *argument, part, context);
      total += one ? one->size() : 0;
      if (total > longest_command_line) {
        context.report.add_beyond_schema(part.range,
                                         fmt::format("the command is longer than {} bytes from here on", longest_command_line));
        return std::nullopt;
      }
      all.push_back(std::move(one).value_or("?"));  // The report knows that it is wrong.
    }
    return all;
  };
  return form;
}

Form<std::vector<std::pair<std::string, std::string>>> environment_form() {
  return names_form<std::string>("an object of strings", {own_variable_pattern, refuse_variable},
                                 expandable_string("a string", 0), 0, 100'000);
}

Form<core::InheritedEnvironment> inheritance_form() {
  using core::InheritedEnvironment;
  const auto from_flag = [](bool all) -> InheritedEnvironment {
    return all ? InheritedEnvironment(core::InheritAll{}) : InheritedEnvironment(std::vector<std::string>{});
  };
  const auto from_list = [](std::vector<std::string> names) -> InheritedEnvironment { return names; };
  const auto write = [](const InheritedEnvironment& inherited) {
    return std::string(std::holds_alternative<core::InheritAll>(inherited) ? "true" : "false");
  };
  return either(converted<InheritedEnvironment>(boolean(), from_flag, write),
                converted<InheritedEnvironment>(list_of(variable_name(), "a list of names"), from_list));
}

}  // namespace corral::config
