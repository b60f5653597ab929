#include "supervisor/shell/process/account.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

namespace corral::process {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

bool begins_with_digit(const std::string& name) { return !name.empty() && name[0] >= '0' && name[0] <= '9'; }

/// "0day" was once taken for uid 0 (CVE-2017-1000082): a number is all digits, or it is refused.
Result<std::optional<std::uint32_t>> as_number(const char* what, const std::string& text) {
  if (!begins_with_digit(text)) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || end != text.data() + text.size() || number == ~0U) {
    return failure(
        fmt::format("cannot use {} '{}': it begins with a digit but is not a number from 0 to 4294967294", what, text));
  }
  return number;
}

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

Result<std::optional<User>> find_user(const std::string& path, const std::string& name, std::optional<uid_t> uid) {
  const File file(std::fopen(path.c_str(), "re"));
  if (!file) {
    return uid ? Result<std::optional<User>>(std::nullopt)
               : system_failure(fmt::format("cannot look up user '{}' in {}", name, path), errno);
  }
  while (const passwd* entry = fgetpwent(file.get())) {
    if (uid ? entry->pw_uid == *uid : name == entry->pw_name) {
      return User{entry->pw_name, entry->pw_uid, entry->pw_gid};
    }
  }
  return std::nullopt;
}

/// The gid of the group `name`.
Result<std::optional<gid_t>> find_group(const std::string& path, const std::string& name) {
  const File file(std::fopen(path.c_str(), "re"));
  if (!file) {
    return system_failure(fmt::format("cannot look up group '{}' in {}", name, path), errno);
  }
  while (const group* entry = fgetgrent(file.get())) {
    if (name == entry->gr_name) {
      return entry->gr_gid;
    }
  }
  return std::nullopt;
}

std::vector<gid_t> memberships(const std::string& path, const std::string& user, gid_t primary) {
  std::vector<gid_t> groups{primary};
  const File file(std::fopen(path.c_str(), "re"));
  while (file && !user.empty()) {
    const group* entry = fgetgrent(file.get());
    if (entry == nullptr) {
      break;
    }
    for (char** member = entry->gr_mem; *member != nullptr; ++member) {
      if (user == *member && std::ranges::find(groups, entry->gr_gid) == groups.end()) {
        groups.push_back(entry->gr_gid);
      }
    }
  }
  return groups;
}

bool is_us(uid_t uid) {
  uid_t real = 0, effective = 0, saved = 0;
  return getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid && saved == uid;
}

bool is_our_group(gid_t gid) {
  gid_t real = 0, effective = 0, saved = 0;
  return getresgid(&real, &effective, &saved) == 0 && real == gid && effective == gid && saved == gid;
}

Result<> resolve_user(const std::string& text, bool group_is_given, const AccountFiles& files, Account& account,
                      std::string& name) {
  const auto number = as_number("user", text);
  if (!number) {
    return std::unexpected(number.error());
  }
  const auto found = find_user(files.passwd, text, *number);
  if (!found) {
    return std::unexpected(found.error());
  }
  if (!*found && !*number) {
    return failure(fmt::format("cannot use user '{}': there is no such user in {}", text, files.passwd));
  }
  if (!*found && !group_is_given) {
    return failure(fmt::format("cannot use user '{}': it is not in {}, so that its group is unknown; give \"group\" too", text,
                               files.passwd));
  }
  account.set_user = true;
  account.user = *found ? (*found)->uid : **number;
  if (*found) {
    name = (*found)->name;
    account.group = (*found)->gid;
    account.set_group = true;
  }
  return {};
}

Result<> resolve_group(const std::string& text, const AccountFiles& files, Account& account) {
  const auto number = as_number("group", text);
  if (!number) {
    return std::unexpected(number.error());
  }
  account.set_group = true;
  if (*number) {
    account.group = **number;
    return {};
  }
  const auto found = find_group(files.group, text);
  if (!found) {
    return std::unexpected(found.error());
  }
  if (!*found) {
    return failure(fmt::format("cannot use group '{}': there is no such group in {}", text, files.group));
  }
  account.group = **found;
  return {};
}

}  // namespace

Result<Account> resolve_account(const std::string& user, const std::string& group, const AccountFiles& files) {
  Account account;
  std::string name;
  if (!user.empty()) {
    if (const auto done = resolve_user(user, !group.empty(), files, account, name); !done) {
      return std::unexpected(done.error());
    }
  }
  if (!group.empty()) {
    if (const auto done = resolve_group(group, files, account); !done) {
      return std::unexpected(done.error());
    }
  }
  if (!account.set_user && !account.set_group) {
    return account;
  }
  const bool same_user = !account.set_user || is_us(account.user);
  if (geteuid() != 0 && same_user && is_our_group(account.group)) {
    return Account{};  // We are it already, and could not set our groups anyway.
  }
  account.groups = memberships(files.group, name, account.group);
  account.set_groups = true;
  return account;
}

}  // namespace corral::process
