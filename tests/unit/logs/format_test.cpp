#include "supervisor/shell/logs/format.hpp"

#include <doctest/doctest.h>

using namespace corral;
using namespace corral::logs;

TEST_CASE("a plain file's lines end with a break, and pieces with their mark") {
  std::string out;
  append_plain(out, "one\ntwo\n", false);
  append_plain(out, "piece", true);
  append_plain(out, "half", false);
  CHECK(out == "one\ntwo\npiece\\\nhalf\n");
}

TEST_CASE("with names and in JSON each line says whose it is") {
  Target target;
  target.program = "a";
  target.shape = Shape::named;
  const std::vector<Piece> pieces{{4, 1, false, false, 0}, {1, 0, true, true, 1234}, {1, 0, true, false, 1234}};
  std::string out;
  append_formatted(out, target, "x\ny\nzw", pieces);
  CHECK(out == "a/1 | x\na/1 | y\na/0 > z\na/0 | w\n");
  out.clear();
  target.shape = Shape::json;
  append_formatted(out, target, "x\ny\nzw", pieces);
  CHECK(out == R"({"time":"1970-01-01T00:00:00.000Z","worker":"a/1","stream":"stdout","line":"x"})"
               "\n"
               R"({"time":"1970-01-01T00:00:00.000Z","worker":"a/1","stream":"stdout","line":"y"})"
               "\n"
               R"({"time":"1970-01-01T00:00:01.234Z","worker":"a/0","stream":"stderr","line":"z","goes_on":true})"
               "\n"
               R"({"time":"1970-01-01T00:00:01.234Z","worker":"a/0","stream":"stderr","line":"w"})"
               "\n");
}

TEST_CASE("the file of a worker") {
  core::LogSpec spec;
  CHECK(path_for(spec, "a", 3, false) == "logs/a-3.log");
  CHECK(path_for(spec, "a", 3, true) == "logs/a-3.stderr.log");
  spec.file = "/x.d/{program}";
  CHECK(is_shared(spec));
  CHECK(path_for(spec, "a", 3, true) == "/x.d/a.stderr");
  CHECK(split_path("/x").folder == "/");
  CHECK(split_path("x").folder == ".");
}
