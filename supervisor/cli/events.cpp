#include "supervisor/cli/events.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/control_commands.hpp"
#include "supervisor/cli/explanation_text.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/server_sent.hpp"
#include "supervisor/cli/status.hpp"
#include "supervisor/shell/disk/config_file.hpp"

namespace corral::cli {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr Duration soon = 10s;

/// As a value of a query.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~/*").contains(c);
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string target_of(const EventsOptions& options, std::string_view more) {
  std::string target = fmt::format("/v1/events?{}", more);
  for (const std::string& worker : options.targets) {
    target += "&worker=" + encoded(worker);
  }
  for (const std::string& event : options.events) {
    target += "&event=" + encoded(event);
  }
  return target;
}

/// "2026-01-31T12:00:00.123Z" as the clock of this place has it: "12:00:00.123", with the day where it is another one.
std::string local_time(const std::string& utc) {
  tm parts{};
  const char* rest = ::strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) {
    return "            ";
  }
  const time_t then = ::timegm(&parts);
  const time_t now = ::time(nullptr);
  tm today{};
  ::localtime_r(&then, &parts);
  ::localtime_r(&now, &today);
  const bool same_day = parts.tm_yday == today.tm_yday && parts.tm_year == today.tm_year;
  std::array<char, 32> text{};
  static_cast<void>(std::strftime(text.data(), text.size(), same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts));
  return text.data() + std::string(rest, *rest == '.' ? 4 : 0);
}

std::string shown(const std::string& event, bool json) {
  if (json) {
    return event + "\n";
  }
  const Json parsed = Json::parse(event, nullptr, false);
  if (!parsed.is_object()) {
    return {};
  }
  std::string line = parsed.contains("time") ? local_time(parsed.value("time", "")) + "  " : "              ";
  append_printable(line, parsed.value("text", ""));
  return line + "\n";
}

/// All of `text`, unless whoever reads has had enough.
bool print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(STDOUT_FILENO, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
  return true;
}

int cannot_print() { return errno == EPIPE ? 0 : complain(system_failure("cannot write to stdout", errno).error()); }

/// What comes from now on, up to the end of the supervisor.
int follow(const process::Instance& server, const EventsOptions& options, std::uint64_t last) {
  const std::string target = target_of(options, fmt::format("follow=true&after={}", last));
  Result<Exchange> exchange = Exchange::begin(server, {.target = target, .accept = "text/event-stream"}, soon);
  if (!exchange) {
    complain(exchange.error());
    return nobody_answers;
  }
  ServerSent events;
  while (true) {
    std::array<pollfd, 2> ready{
        pollfd{exchange->descriptor(), static_cast<short>(exchange->wants_to_write() ? POLLOUT : POLLIN), 0},
        pollfd{STDOUT_FILENO, 0, 0}};
    ::poll(ready.data(), ready.size(), -1);
    if ((ready[1].revents & (POLLERR | POLLHUP)) != 0) {
      return 0;  // Nobody reads any more.
    }
    if (ready[0].revents == 0) {
      continue;
    }
    const Result<std::optional<Reply>> reply = exchange->proceed();
    if (reply && *reply && (*reply)->status != 200) {
      return complain_of(**reply);
    }
    std::string text;
    // At the end the rest of the body has become the reply's.
    const std::string body = reply && *reply                      ? (*reply)->body
                             : exchange->reader().status() == 200 ? exchange->reader().take_body()
                                                                  : "";
    for (const std::string& event : events.read(body)) {
      text += shown(event, options.json);
    }
    if (!print(text)) {
      return cannot_print();
    }
    if (!reply) {
      complain(reply.error());
      return nobody_answers;
    }
    if (*reply) {
      return 0;
    }
  }
}

/// The file as it is now; without one no line is told.
config::Source source_of(const std::string& path) {
  Result<std::string> text = path.empty() ? failure("") : disk::read_config_file(path);
  return text ? config::Source{path, std::move(*text)} : config::Source{};
}

}  // namespace

int events(const EventsOptions& options) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  const Result<process::Instance> instance = find_supervisor(options.whose);
  if (!instance) {
    complain(instance.error());
    return nobody_answers;
  }
  const std::string most = options.last == SIZE_MAX ? std::string() : fmt::format("limit={}", options.last);
  const std::string target = target_of(options, most);
  const Result<Reply> reply = ask(*instance, {.target = target}, soon);
  if (!reply) {
    complain(reply.error());
    return nobody_answers;
  }
  const Json past = Json::parse(reply->body, nullptr, false);
  if (reply->status != 200 || !past.is_object()) {
    return complain_of(*reply);
  }
  std::string text;
  for (const Json& event : past.value("events", Json::array())) {
    text += shown(event.dump(-1, ' ', false, Json::error_handler_t::replace), options.json);
  }
  if (!print(text)) {
    return cannot_print();
  }
  return options.follow ? follow(*instance, options, past.value("last", std::uint64_t{0})) : 0;
}

int explain(const ExplainOptions& options) {
  const Result<process::Instance> instance = find_supervisor(options.whose);
  if (!instance) {
    complain(instance.error());
    return nobody_answers;
  }
  const std::expected<Meant, int> meant = workers_meant(*instance, options.targets);
  if (!meant) {
    return meant.error();
  }
  const config::Source file = source_of(meant->config);
  std::string text;
  for (const std::string& name : meant->names) {
    const Result<Reply> reply = ask(*instance, {.target = "/v1/workers/" + name + "/explain"}, soon);
    if (!reply) {
      complain(reply.error());
      return nobody_answers;
    }
    if (reply->status != 200) {
      return complain_of(*reply);
    }
    const Result<std::string> story = options.json ? Result<std::string>(reply->body) : explanation_text(reply->body, file);
    if (!story) {
      complain(story.error());
      return nobody_answers;
    }
    text += (text.empty() || options.json ? "" : "\n") + *story;
  }
  return deliver(text, 0);
}

}  // namespace corral::cli
