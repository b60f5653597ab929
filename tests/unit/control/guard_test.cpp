#include <doctest/doctest.h>

#include <string>

#include "supervisor/control/guard.hpp"

using namespace corral;
using namespace corral::control;

namespace {

const std::string token = "0123456789abcdef0123456789abcdef";

/// As a client shows itself that is let in; `change` spoils it.
template <class Change>
std::string verdict(Change change, const core::LoopbackAddress& address = {"127.0.0.1", 8080}) {
  const std::string authorization = "Bearer " + token;
  Credentials shown{"127.0.0.1:8080", 1, {}, 0, authorization, 1};
  change(shown);
  const auto refused = Guard(address, token).check(shown);
  if (!refused) {
    return "in";
  }
  CHECK_FALSE(refused->refusal.error.contains(token));
  return std::to_string(refused->refusal.status) + " " + std::to_string(static_cast<int>(refused->mistake));
}

std::string with_host(std::string_view host, const core::LoopbackAddress& address = {"127.0.0.1", 8080}) {
  return verdict([&](Credentials& shown) { shown.host = host; }, address);
}

std::string with_origin(std::string_view origin, std::size_t times = 1) {
  return verdict([&](Credentials& shown) {
    shown.origin = origin;
    shown.origins = times;
  });
}

std::string with_authorization(std::string_view text, std::size_t times = 1) {
  return verdict([&](Credentials& shown) {
    shown.authorization = text;
    shown.authorizations = times;
  });
}

}  // namespace

TEST_CASE("the host has to be the address, or localhost, and the port") {
  for (const std::string_view host : {"127.0.0.1:8080", "localhost:8080", "LocalHost:8080"}) {
    CHECK_MESSAGE(with_host(host) == "in", host);
  }
  for (const std::string_view host :
       {"", "127.0.0.1", "localhost", "127.0.0.1:80", "127.0.0.1:08080", "127.0.0.2:8080", "evil.example:8080", "localhost.:8080",
        "localhost:8080.evil.example", "x127.0.0.1:8080", "127.0.0.1:8080 ", "127.0.0.1:8080,127.0.0.1:8080",
        "user@127.0.0.1:8080", "[::1]:8080", "0x7f.1:8080"}) {
    CHECK_MESSAGE(with_host(host) == "403 0", host);
  }
  CHECK(verdict([](Credentials& shown) { shown.hosts = 2; }) == "403 0");
  CHECK(verdict([](Credentials& shown) { shown.target = "http://evil/healthz"; }) == "403 0");
  CHECK(verdict([](Credentials& shown) { shown.target = "http://127.0.0.1:8080.evil/"; }) == "403 0");
  CHECK(verdict([](Credentials& shown) { shown.target = "http://127.0.0.1:8080/healthz"; }) == "in");
  CHECK(verdict([](Credentials& shown) { shown.hosts = 0; }) == "403 0");
  CHECK(with_host("[::1]:9", {"::1", 9}) == "in");
  CHECK(with_host("::1:9", {"::1", 9}) == "403 0");
  CHECK(with_host("127.0.0.1", {"127.0.0.1", 80}) == "in");
  CHECK(with_host("localhost:80", {"127.0.0.1", 80}) == "in");
}

TEST_CASE("a page has to be of the same origin") {
  CHECK(with_origin("", 0) == "in");
  CHECK(with_origin("http://127.0.0.1:8080") == "in");
  for (const std::string_view origin :
       {"", "null", "http://localhost:8080", "http://127.0.0.1", "https://127.0.0.1:8080", "127.0.0.1:8080",
        "http://evil.example", "http://127.0.0.1:8080/", "http://127.0.0.1:8080.evil.example"}) {
    CHECK_MESSAGE(with_origin(origin) == "403 1", origin);
  }
  CHECK(with_origin("http://127.0.0.1:8080", 2) == "403 1");
}

TEST_CASE("the token has to be shown, all of it and once") {
  CHECK(with_authorization("bearer " + token) == "in");
  for (const std::string& text :
       {std::string(), std::string("Bearer"), std::string("Bearer "), token, "Basic " + token, "Bearer  " + token,
        "Bearer " + token + " ", "Bearer " + token.substr(1), "Bearer " + token + token, "Bearer " + token.substr(0, 31),
        "Bearer " + token.substr(0, 31) + "0", "Bearer 1" + token.substr(1)}) {
    CHECK_MESSAGE(with_authorization(text) == "401 2", text);
  }
  CHECK(with_authorization("Bearer " + token, 2) == "401 2");
  CHECK(with_authorization("Bearer " + token, 0) == "401 2");
}

TEST_CASE("an empty secret is that of nobody") {
  CHECK_FALSE(same_secret("", ""));
  CHECK_FALSE(same_secret("", "x"));
  CHECK_FALSE(same_secret("x", ""));
  CHECK(same_secret("x", "x"));
  CHECK_FALSE(same_secret("x", "xx"));
  CHECK_FALSE(same_secret(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}
