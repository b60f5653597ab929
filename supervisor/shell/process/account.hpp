// Users and groups by name or number, from /etc/passwd and /etc/group alone.
//
// A statically linked program has no name service switch, and a launch that waits for LDAP is no launch. What cannot be
// resolved for certain is refused: nothing here ever falls back to root.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace corral::process {

struct Account {
  bool set_user = false;
  uid_t user = 0;
  bool set_group = false;
  gid_t group = 0;
  bool set_groups = false;
  std::vector<gid_t> groups;  ///< Supplementary ones.
};

/// Where the two files lie; tests have their own.
struct AccountFiles {
  std::string passwd = "/etc/passwd";
  std::string group = "/etc/group";
};

/// Empty `user` and `group`: nothing changes. What we are already is not set again, so that it needs no privilege.
[[nodiscard]] Result<Account> resolve_account(const std::string& user, const std::string& group, const AccountFiles& files = {});

}  // namespace corral::process
