#include "supervisor/control/guard.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "supervisor/control/matching.hpp"

namespace corral::control {
namespace {

constexpr std::uint16_t port_of_http = 80;
constexpr std::string_view scheme = "http://";

/// What follows "Bearer "; empty where it is something else.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view way = "Bearer ";
  if (!same_word(authorization.substr(0, way.size()), way)) {
    return {};
  }
  authorization.remove_prefix(way.size());
  return authorization;
}

/// Of "http://127.0.0.1:8080/v1/status" the host counts (RFC 9112, 3.2.2), so it has to be the same.
bool is_same_place(std::string_view target, std::string_view host) {
  if (!target.starts_with(scheme)) {
    return true;
  }
  target.remove_prefix(scheme.size());
  return same_word(target.substr(0, target.find('/')), host);
}

}  // namespace

bool same_secret(std::string_view secret, std::string_view shown) {
  // Each character is looked at, whatever the others were; how many there are is no secret.
  unsigned difference = secret.size() == shown.size() && !secret.empty() ? 0U : 1U;
  for (std::size_t i = 0; i < shown.size() && !secret.empty(); ++i) {
    const auto one = static_cast<unsigned char>(secret[i % secret.size()]);
    difference |= static_cast<unsigned>(one ^ static_cast<unsigned char>(shown[i]));
  }
  return difference == 0;
}

Guard::Guard(core::LoopbackAddress address, std::string token) : token_(std::move(token)) {
  for (const std::string& name : {address.in_brackets(), std::string("localhost")}) {
    hosts_.push_back(fmt::format("{}:{}", name, address.port));
    if (address.port == port_of_http) {
      hosts_.push_back(name);  // As clients leave it out.
    }
  }
}

std::optional<Guard::Refused> Guard::check(const Credentials& shown) const {
  const auto refused = [](Mistake mistake, int status, std::string error) {
    return Refused{mistake, {status, std::move(error), {}}};
  };
  const bool is_host =
      shown.hosts == 1 && std::ranges::any_of(hosts_, [&](const std::string& host) { return same_word(host, shown.host); });
  if (!is_host || !is_same_place(shown.target, shown.host)) {  // A name of somebody else's that leads here: DNS rebinding.
    return refused(Mistake::host, 403, fmt::format("the Host of a request has to be {}", address()));
  }
  const bool is_same =
      shown.origins == 1 && shown.origin.starts_with(scheme) && same_word(shown.origin.substr(scheme.size()), shown.host);
  if (shown.origins != 0 && !is_same) {
    return refused(Mistake::origin, 403, "a page of another origin may not command this supervisor");
  }
  if (shown.authorizations != 1 || !same_secret(token_, bearer(shown.authorization))) {
    return refused(Mistake::token, 401,
                   "a request has to show the token of control.token_file: "
                   R"=(printf 'Authorization: Bearer %s\n' "$(cat FILE)" | curl -H @- URL)=");
  }
  return std::nullopt;
}

}  // namespace corral::control
