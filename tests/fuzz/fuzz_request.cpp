// What a client of the control API says, against whatever libFuzzer thinks of.
//
// The first byte chooses a method and a content type, the rest is the target, a line break, and the body. What must hold: no
// crash, no sanitizer's report; a refusal has a status that HTTP has for it and a sentence, and can be rendered; what is
// understood is within the bounds that the rest relies on, and never a change unless it was a POST.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/check.hpp"
#include "supervisor/control/reply.hpp"
#include "supervisor/control/request.hpp"

namespace {

using namespace corral;

/// Exhaustive, so that a wish nobody has thought about here does not compile.
struct OnlyLooks {
  bool operator()(const control::GetStatus&) const { return true; }
  bool operator()(const control::GetPrograms&) const { return true; }
  bool operator()(const control::GetWorkers&) const { return true; }
  bool operator()(const control::GetHealth&) const { return true; }
  bool operator()(const control::GetReadiness&) const { return true; }
  bool operator()(const control::GetMetrics&) const { return true; }
  bool operator()(const control::GetEvents&) const { return true; }
  bool operator()(const control::GetExplanation&) const { return true; }
  bool operator()(const control::Start&) const { return false; }
  bool operator()(const control::Stop&) const { return false; }
  bool operator()(const control::Restart&) const { return false; }
  bool operator()(const control::Signal&) const { return false; }
  bool operator()(const control::Scale&) const { return false; }
  bool operator()(const control::Reload&) const { return false; }
  bool operator()(const control::ReopenLogs&) const { return false; }
  bool operator()(const control::Shutdown&) const { return false; }
};

struct Bounds {
  void operator()(const control::Start& wish) const { check(wish.targets); }
  void operator()(const control::Stop& wish) const { check(wish.targets); }
  void operator()(const control::Restart& wish) const {
    check(wish.targets);
    CORRAL_CHECK(wish.parallel >= 1 && wish.parallel <= 100'000 && wish.pause >= Duration::zero());
  }
  void operator()(const control::Signal& wish) const {
    check(wish.targets);
    CORRAL_CHECK(wish.signal > 0 && wish.signal <= 64);
  }
  void operator()(const control::Scale& wish) const {
    CORRAL_CHECK(!wish.program.empty() && wish.program.find('/') == std::string::npos);
    const auto* workers = std::get_if<std::uint32_t>(&wish.workers);
    CORRAL_CHECK(workers == nullptr || (*workers >= 1 && *workers <= 100'000));
  }
  void operator()(const control::GetEvents& wish) const { CORRAL_CHECK(wish.whom.size() <= 100 && wish.events.size() <= 100); }
  void operator()(const auto& /*none*/) const {}

  static void check(const control::Patterns& patterns) {
    CORRAL_CHECK(!patterns.empty() && patterns.size() <= 1000);
    for (const std::string& pattern : patterns) {
      CORRAL_CHECK(pattern.size() <= 256);
    }
    control::View view;
    view.programs.emplace_back(ProgramId{0}, "crunch", false).workers.push_back({"crunch/0", {}, {}, {}});
    if (const auto meant = control::resolve(patterns, view); !meant) {
      CORRAL_CHECK(!control::refusal(meant.error()).body.empty());
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  constexpr std::string_view methods[] = {"POST", "GET", "HEAD", "PUT"};                                           // NOLINT
  constexpr std::string_view types[] = {"application/json", "Application/JSON; charset=utf-8", "text/plain", ""};  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);                                  // NOLINT
  const std::string_view target = text.substr(0, text.find('\n'));
  const std::string_view body = text.substr(std::min(target.size() + 1, text.size()));
  const std::string_view method = methods[data[0] % 4];
  const auto request = control::understand({method, target, types[data[0] / 4 % 4], body});
  if (!request) {
    const control::Refusal& refusal = request.error();
    CORRAL_CHECK(refusal.status >= 400 && refusal.status < 500 && !refusal.error.empty());
    CORRAL_CHECK((refusal.status == 405) == !refusal.allow.empty());
    CORRAL_CHECK(control::refusal(refusal).body.ends_with('\n'));
    return 0;
  }
  CORRAL_CHECK(std::visit(OnlyLooks{}, request->wish) == (method != "POST"));
  CORRAL_CHECK(!request->patience || *request->patience >= Duration::zero());
  std::visit(Bounds{}, request->wish);
  return 0;
}
