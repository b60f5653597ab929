// Who may speak to the supervisor over TCP, where the kernel does not say who it is: whoever shows the token, asks for this
// address by name, and is not a page of somebody else's in a browser. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/control/request.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::control {

/// Of a request's header. What stands in it twice is counted.
struct Credentials {
  std::string_view host;
  std::size_t hosts = 0;
  std::string_view origin;
  std::size_t origins = 0;
  std::string_view authorization;
  std::size_t authorizations = 0;
  std::string_view target{};  ///< Of its first line. In its absolute form it names a host too.
};

/// Takes as long for every `shown` of one length.
[[nodiscard]] bool same_secret(std::string_view secret, std::string_view shown);

class Guard {
 public:
  /// `token`: as token_file.hpp takes it, never empty.
  Guard(core::LoopbackAddress address, std::string token);

  enum class Mistake : std::uint8_t { host, origin, token };
  struct Refused {
    Mistake mistake = Mistake::token;
    Refusal refusal;
  };
  /// What is wrong with it, the host first: 403, or 401 without the token. No word of it is the client's or the token's.
  [[nodiscard]] std::optional<Refused> check(const Credentials& shown) const;
  /// "127.0.0.1:8080"
  [[nodiscard]] const std::string& address() const { return hosts_.front(); }

 private:
  std::vector<std::string> hosts_;  ///< That it may be asked for by.
  std::string token_;
};

}  // namespace corral::control
