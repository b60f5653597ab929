#include <doctest/doctest.h>

#include <chrono>

#include "supervisor/control/request.hpp"
#include "view_of.hpp"

using namespace corral;
using namespace corral::control;

namespace {

/// The names of who is meant; of a refusal, its error.
std::string meant(const Patterns& patterns, const View& view = view_of_three()) {
  const auto workers = resolve(patterns, view);
  if (!workers) {
    CHECK(workers.error().status == 404);
    return workers.error().error;
  }
  std::string text;
  for (const WorkerId id : *workers) {
    text += (text.empty() ? "" : " ") + view.programs[static_cast<std::size_t>(number(id.program))].workers[id.index].name;
  }
  return text;
}

}  // namespace

TEST_CASE("workers, programs and patterns") {
  CHECK(meant({"crunch"}) == "crunch/0 crunch/1");
  CHECK(meant({"crunch/1"}) == "crunch/1");
  CHECK(meant({"crunch/*"}) == "crunch/0 crunch/1");
  CHECK(meant({"*"}) == "crunch/0 crunch/1 web-a/0 web-b/0");
  CHECK(meant({"web-?"}) == "web-a/0 web-b/0");
  CHECK(meant({"web-[!a]"}) == "web-b/0");
  CHECK(meant({"*/0"}) == "crunch/0 web-a/0 web-b/0");
  CHECK(meant({"*/*"}) == "crunch/0 crunch/1 web-a/0 web-b/0");
}

TEST_CASE("each once, in the order of the view") {
  CHECK(meant({"web-b", "crunch/1", "*/1", "web-b", "web-b/0"}) == "crunch/1 web-b/0");
  CHECK(meant({"crunch", "crunch/0", "crunch"}) == "crunch/0 crunch/1");
}

TEST_CASE("one that means nobody refuses all of them") {
  CHECK(meant({"crunch", "crumch"}) == "'crumch' is no worker and no program of this configuration; did you mean 'crunch'?");
  CHECK(meant({"crunch/7"}) == "'crunch/7' is no worker and no program of this configuration");
  CHECK(meant({"crumch/0"}) == "'crumch/0' is no worker and no program of this configuration; did you mean 'crunch'?");
  CHECK(meant({"*", "nobody/*"}) == "'nobody/*' is no worker and no program of this configuration");
  CHECK(meant({""}).starts_with("'' is no worker"));
  CHECK(meant({"crunch/"}).starts_with("'crunch/' is no worker"));
  CHECK(meant({"["}).starts_with("'[' is no worker"));
  CHECK(meant({"crunch\\"}).starts_with("'crunch\\' is no worker"));
}

TEST_CASE("a pattern made to take for ever does not") {
  View view = view_of_three();
  view.programs[0].name = std::string(200, 'a');
  std::string pattern;
  for (int i = 0; i < 120; ++i) {
    pattern += "*a";
  }
  CHECK(meant({pattern + "b"}, view).starts_with("'*a*a"));
}

TEST_CASE("a program is known by its name and by nothing else") {
  CHECK_FALSE(refuse_unknown("crunch", view_of_three()));
  for (const std::string_view name : {"crumch", "crunch/0", "cr*", ""}) {
    const auto refusal = refuse_unknown(name, view_of_three());
    REQUIRE(refusal);
    CHECK(refusal->status == 404);
  }
  CHECK(refuse_unknown("crumch", view_of_three())->error ==
        "'crumch' is no program of this configuration; did you mean 'crunch'?");
}
