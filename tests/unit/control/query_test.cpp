#include "supervisor/control/query.hpp"

#include <doctest/doctest.h>

using namespace corral::control;
using Texts = std::vector<std::string>;

TEST_CASE("parameters are decoded, and each has to be taken") {
  auto query = Query::read("/v1/events?worker=a%2F0&worker=b%2f%2A&event=x+y&&limit=12&empty=&bare");
  REQUIRE(query);
  CHECK(query->take_all("worker") == Texts{"a/0", "b/*"});
  CHECK(query->take_all("worker").empty());
  CHECK(query->take("event") == "x y");
  CHECK(query->take("empty") == "");
  CHECK(query->take("bare") == "");
  CHECK(query->take_number("limit").value() == 12U);
  CHECK(query->take_number("after").value() == std::nullopt);
  CHECK_FALSE(query->left_over());
}

TEST_CASE("what nobody has taken is a mistake, with what it was meant to be") {
  auto query = Query::read("?limti=1");
  REQUIRE(query);
  CHECK_FALSE(query->take("limit"));
  CHECK(query->left_over()->error == "there is no 'limti' here; did you mean 'limit'?");
}

TEST_CASE("numbers and flags are what they are called") {
  for (const char* wrong : {"", "-1", "+1", "1x", "0x1", "1.5", "18446744073709551616"}) {
    auto query = Query::read(std::string("?n=") + wrong);
    REQUIRE(query);
    // A '+' is a space.
    CHECK_MESSAGE(query->take_number("n").error().status == 400, wrong);
  }
  CHECK(Query::read("?n=18446744073709551615")->take_number("n").value() == UINT64_MAX);
  CHECK(Query::read("?f=true")->take_flag("f").value());
  CHECK_FALSE(Query::read("?f=false")->take_flag("f").value());
  CHECK_FALSE(Query::read("")->take_flag("f").value());
  CHECK_FALSE(Query::read("?f=1")->take_flag("f"));
  CHECK_FALSE(Query::read("?f")->take_flag("f"));
}

TEST_CASE("bad percent-encoding is refused") {
  for (const char* wrong : {"?a=%", "?a=%2", "?a=%zz", "?%=1", "?a=%2g", "?a=% 2"}) {
    CHECK_MESSAGE(!Query::read(wrong), wrong);
  }
  CHECK(Query::read("?a=%00")->take("a") == std::string(1, '\0'));
}

TEST_CASE("what is asked of the events") {
  const auto asked = [](std::string_view target, std::string_view accept = {}, std::string_view last = {},
                        std::string_view method = "GET") {
    const auto request =
        understand({.method = method, .target = target, .content_type = {}, .body = {}, .accept = accept, .last_event_id = last});
    return request ? std::expected<GetEvents, Refusal>(std::get<GetEvents>(request->wish)) : std::unexpected(request.error());
  };
  const auto plain = asked("/v1/events?worker=a&event=worker_ended&limit=3&after=7");
  REQUIRE(plain);
  CHECK(plain->whom == Texts{"a"});
  CHECK(plain->events == Texts{"worker_ended"});
  CHECK(plain->most == 3U);
  CHECK(plain->after == 7U);
  CHECK_FALSE(plain->follow);
  CHECK(asked("/v1/events?follow=true")->follow);
  CHECK(asked("/v1/events", "text/event-stream")->follow);
  CHECK(asked("/v1/events", "application/json, text/event-stream;q=0.5")->follow);
  CHECK_FALSE(asked("/v1/events?follow=true", {}, {}, "HEAD")->follow);
  CHECK(asked("/v1/events?after=1", "text/event-stream", "9")->after == 9U);
  CHECK(asked("/v1/events?after=1", {}, "9")->after == 1U);  // No stream: nobody has come back to one.
  CHECK(asked("/v1/events", "text/event-stream", "9&limit=1").error().status == 400);
  CHECK(asked("/v1/events", "text/event-stream", "nine").error().status == 400);
  CHECK(asked("/v1/events?event=worker_endet").error().error == "there is no event 'worker_endet'; did you mean 'worker_ended'?");
  CHECK(asked("/v1/events?worker=" + std::string(257, 'x')).error().status == 400);
}
