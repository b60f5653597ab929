#include "supervisor/cli/top_questions.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"

namespace corral::cli {

using namespace std::chrono_literals;

namespace {

constexpr Duration first_patience = 5s;
constexpr Duration silence = 3s;         ///< From then on the screen says that nobody answers.
constexpr Duration most_patience = 15s;  ///< Then the question is asked again.
constexpr Duration next_look = 200ms;
constexpr std::ptrdiff_t most_commands = 8;

Instant clock_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

/// The last word of the target, and what is said when it is true.
std::pair<std::string_view, std::string> words_of(const top::Act& act) {
  switch (act.kind) {
    case top::Act::Kind::start: return {"start", act.worker + " is started"};
    case top::Act::Kind::stop: return {"stop", act.worker + " is stopped"};
    case top::Act::Kind::restart: return {"restart", act.worker + " is restarted"};
    case top::Act::Kind::signal: return {"signal", fmt::format("SIG{} was sent to {}", act.signal, act.worker)};
    case top::Act::Kind::follow_log:
    case top::Act::Kind::quit: break;
  }
  return {};
}

std::string body_of(const top::Act& act) {
  std::string body = R"({"targets":[)";
  append_json_string(body, act.worker);
  body += ']';
  if (!act.signal.empty()) {
    body += R"(,"signal":)";
    append_json_string(body, act.signal);
  }
  return body + '}';
}

}  // namespace

Result<void> TopQuestions::look_first() {
  const Result<Reply> reply = cli::ask(server_, {.target = "/v1/status"}, first_patience);
  if (!reply) {
    return std::unexpected(reply.error());
  }
  if (reply->status != 200) {
    return failure(top::read_error(reply->body, reply->status));
  }
  Result<top::Sample> sample = top::read_status(reply->body);
  if (!sample) {
    return std::unexpected(sample.error());
  }
  model_.take(std::move(*sample), clock_now());
  ask_at_ = after(clock_now(), std::min(interval_, next_look));  // Rates need a second look: the first one comes soon.
  return {};
}

bool TopQuestions::asks(About about) const { return std::ranges::find(questions_, about, &Question::about) != questions_.end(); }

void TopQuestions::begin(About about, const Request& request, Instant now, std::string done) {
  Result<Exchange> exchange = Exchange::begin(server_, request);
  if (exchange) {
    questions_.push_back({about, std::move(*exchange), now, std::move(done)});
    return;
  }
  const int error = exchange.error().error_number;
  if (error == ECONNREFUSED || error == ENOENT || error == ESRCH) {
    gone_ = fmt::format("the supervisor (pid {}) has ended", model_.sample()->pid);
  }
  model_.miss(exchange.error().message);
}

void TopQuestions::ask(Instant now) {
  if (now < ask_at_) {
    return;
  }
  ask_at_ = after(now, interval_);
  if (!asks(About::status)) {
    begin(About::status, {.target = "/v1/status"}, now);
  }
  if (has_events_ && !asks(About::events) && gone_.empty()) {
    begin(About::events, {.target = "/v1/events"}, now);
  }
}

void TopQuestions::command(const top::Act& act, Instant now) {
  if (std::ranges::count(questions_, About::command, &Question::about) >= most_commands) {
    return model_.say("too many commands are under way; wait for one of them");
  }
  auto [verb, done] = words_of(act);
  const std::string target = fmt::format("/v1/workers/{}", verb);
  const std::string body = body_of(act);
  model_.say(fmt::format("{} {} ...", verb, act.worker));
  begin(About::command, {.method = "POST", .target = target, .body = body}, now, std::move(done));
  ask_at_ = std::min(ask_at_, after(now, next_look));  // What comes of it is to be seen.
}

void TopQuestions::watch(std::vector<pollfd>& watched) const {
  for (const Question& question : questions_) {
    const auto wanted = static_cast<short>(question.exchange.wants_to_write() ? POLLOUT : POLLIN);
    watched.push_back({question.exchange.descriptor(), wanted, 0});
  }
}

void TopQuestions::hear(std::span<const pollfd> ready, Instant now) {
  std::vector<Question> asked = std::exchange(questions_, {});
  for (std::size_t at = 0; at < asked.size(); ++at) {
    Question& question = asked[at];
    const bool is_ready = at < ready.size() && ready[at].revents != 0;
    Result<std::optional<Reply>> reply = is_ready ? question.exchange.proceed() : std::nullopt;
    const Duration age = now - question.since;
    if (!reply) {
      fail(question, reply.error().message);
    } else if (*reply) {
      heard(question, **reply, now);
    } else if (question.about == About::command || age < most_patience) {
      if (question.about == About::status && age >= silence) {
        model_.miss(fmt::format("the supervisor has not answered for {} s", age / 1s));
      }
      questions_.push_back(std::move(question));
    }
  }
}

void TopQuestions::heard(const Question& question, const Reply& reply, Instant now) {
  const bool good = reply.status >= 200 && reply.status < 300;
  if (question.about == About::command) {
    return model_.say(good ? question.done : top::read_error(reply.body, reply.status));
  }
  if (question.about == About::events) {
    has_events_ = good;  // One that knows none will not learn it.
    if (Result<top::LastEvents> events = top::read_events(reply.body); good && events) {
      model_.take(std::move(*events));
    }
    return;
  }
  Result<top::Sample> sample = good ? top::read_status(reply.body) : failure(top::read_error(reply.body, reply.status));
  if (!sample) {
    return fail(question, sample.error().message);
  }
  model_.take(std::move(*sample), now);
}

void TopQuestions::fail(const Question& question, const std::string& why) {
  if (question.about == About::command) {
    model_.say(why);
  } else {
    model_.miss(why);
  }
}

Instant TopQuestions::next_deadline(Instant now) const {
  Instant next = ask_at_;
  for (const Question& question : questions_) {
    if (question.about == About::status) {  // Its age is shown, by the second.
      next = std::min(next, now - question.since < silence ? after(question.since, silence) : after(now, 1s));
    }
  }
  return next;
}

}  // namespace corral::cli
