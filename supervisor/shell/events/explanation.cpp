#include "supervisor/shell/events/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/text.hpp"

namespace corral::shell {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

template <class T, class Make>
std::string list(const std::vector<T>& all, Make make) {
  std::string out = "[";
  for (const T& one : all) {
    out += (out.size() == 1 ? "" : ",") + make(one);
  }
  return out += ']';
}

}  // namespace

std::vector<std::string> sentences(const core::Explanation& explanation) {
  std::vector<std::string> all;
  std::ranges::transform(explanation.reasons, std::back_inserter(all), &core::Reason::sentence);
  return all;
}

std::string to_json(const core::Explanation& explanation, const std::vector<std::string>& events, const CrashRecord* crash,
                    std::optional<std::uint64_t> fingerprint) {
  // Names of programs need no escapes in a JSON pointer.
  const std::string program = "/programs/" + explanation.worker.substr(0, explanation.worker.rfind('/'));
  std::string next = "null";
  if (!explanation.next.what.empty()) {
    next = fmt::format(R"({{"what":"{}","in_seconds":{}}})", explanation.next.what,
                       explanation.next.in ? json_seconds(*explanation.next.in) : "null");
  }
  const std::string reasons = list(explanation.reasons, [&](const core::Reason& reason) {
    return fmt::format(R"({{"sentence":{},"keys":{}}})", quoted(reason.sentence),
                       list(reason.keys, [&](const std::string& key) { return quoted(program + key); }));
  });
  return fmt::format(
      R"({{"worker":{},"state":"{}","next":{},"sentences":{},"reasons":{},"events":{},"crash":{},"configuration":{}}})",
      quoted(explanation.worker), core::name(explanation.state), next, list(sentences(explanation), quoted), reasons,
      list(events, [](const std::string& event) { return event; }), crash == nullptr ? "null" : crash->json,
      fingerprint ? fmt::format(R"("{:016x}")", *fingerprint) : "null");
}

}  // namespace corral::shell
