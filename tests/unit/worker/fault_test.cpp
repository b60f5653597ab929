#include <stdexcept>

#include "common/base/text.hpp"
#include "tests/unit/worker/fake_supervisor.hpp"

using namespace corral;
using namespace corral::worker;
using namespace corral::worker::testing;

namespace {

struct Own : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The ERROR of a handler that does this.
template <class Handler>
std::string error_of(Handler throws) {
  FakeSupervisor supervisor([&](Task& task) -> std::string {
    if (task.id() == 1) {
      throws();
    }
    return "ok";
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).frame(FrameType::task, 2).flush();
  const Answer answer = supervisor.next();
  CHECK(answer.type == FrameType::error);
  CHECK(answer.task == 1);
  CHECK(supervisor.next() == result(2, "ok"));  // It has not harmed the worker.
  return answer.payload;
}

std::string json(std::string_view type, std::string_view message) {
  std::string text = R"({"type":)";
  append_json_string(text, type);
  text += R"(,"message":)";
  append_json_string(text, message);
  return text + R"(,"traceback":""})";
}

}  // namespace

TEST_CASE("an exception is an ERROR with the name of its class and its message") {
  CHECK(error_of([] { throw std::out_of_range("no such row"); }) == json("std::out_of_range", "no such row"));
  CHECK(error_of([] { throw Own("mine"); }).find("Own\",\"message\":\"mine\"") != std::string::npos);
  CHECK(error_of([] { throw Failure("BadInput", "line 3"); }) == json("BadInput", "line 3"));
  CHECK(error_of([] { static_cast<void>(std::string().at(3)); }).starts_with(R"({"type":"std::out_of_range","message":")"));
}

TEST_CASE("an exception that has nothing to say fails its task all the same") {
  struct Mute : std::exception {
    [[nodiscard]] const char* what() const noexcept override { return nullptr; }
  };
  CHECK(error_of([] { throw Mute(); }).find(R"("message":"")") != std::string::npos);
}

TEST_CASE("what is thrown need not be a std::exception") {
  CHECK(error_of([] { throw 17; }) == json("int", "threw something that is no std::exception"));
  CHECK(error_of([] { throw "text"; }) == json("char const*", "threw something that is no std::exception"));
}

TEST_CASE("a message of any bytes is a JSON string in one line") {
  const std::string error = error_of([] { throw std::runtime_error("a\"b\\c\nd\te\x01 \x7f \xff\xc0\xaf ü"); });
  CHECK(error ==
        "{\"type\":\"std::runtime_error\",\"message\":\"a\\\"b\\\\c\\nd\\te\\u0001 \\u007f "
        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd ü\",\"traceback\":\"\"}");
}

TEST_CASE("a Failure can be copied, and json_string quotes") {
  const Failure failure("Type", "message");
  const Failure copy = failure;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK(copy.type() == "Type");
  CHECK(copy.message() == "message");
  CHECK(std::string(copy.what()) == "message");
  CHECK(json_string("a\"\n") == R"("a\"\n")");
}
