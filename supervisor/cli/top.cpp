#include "supervisor/cli/top.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/top/foreground.hpp"
#include "supervisor/cli/top/model.hpp"
#include "supervisor/cli/top/painter.hpp"
#include "supervisor/cli/top/renderer.hpp"
#include "supervisor/cli/top/terminal.hpp"

namespace corral::cli {

using namespace std::chrono_literals;

namespace {

constexpr Duration first_patience = 5s;
constexpr Duration silence = 3s;         ///< From then on the screen says that nobody answers.
constexpr Duration most_patience = 15s;  ///< Then the question is asked again.
constexpr Duration escape_pause = 50ms;  ///< Between Escape and what a terminal sends with it.
constexpr std::size_t most_commands = 8;

Instant now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

/// A question that was asked.
struct Question {
  enum class About : std::uint8_t { status, events, command };
  About about;
  Exchange exchange;
  Instant since;
  std::string done{};  ///< Of a command: what is then said.
  bool ready = false;
};

class Top {
 public:
  explicit Top(const TopOptions& options)
      : options_(options), renderer_(wants_colour(options.colour, STDOUT_FILENO)), look_{{}, top::terminal_speaks_utf8()} {}

  int run();

 private:
  [[nodiscard]] std::optional<std::string> look_for_supervisor();
  void proceed();
  void ask_again();
  void begin(Question::About about, const Request& request, std::string done = {});
  void hear_answers();
  void fail(const Question& question, const std::string& why);
  void heard(const Question& question, const Reply& reply);
  void wait();
  void read_keys();
  void act(const top::Act& act);
  void command(std::string_view verb, const top::Act& act, std::string done);
  void follow_log(const std::string& worker);
  void show();
  void end(int status, std::string why = {}) {
    status_ = status;
    why_ = std::move(why);
  }
  [[nodiscard]] bool asks(Question::About about) const {
    return std::ranges::find(questions_, about, &Question::about) != questions_.end();
  }
  [[nodiscard]] Instant next_deadline() const;

  TopOptions options_;
  top::Terminal terminal_;
  top::Model model_;
  top::Renderer renderer_;
  top::Look look_;
  top::KeyReader keys_;
  std::vector<Question> questions_;
  Instant ask_at_{};
  Instant keys_settle_at_ = never;
  bool keys_ready_ = false;
  bool has_events_ = true;
  std::optional<int> status_;
  std::string why_;
};

/// Before the screen is taken: where nobody answers, a sentence is all that is needed.
std::optional<std::string> Top::look_for_supervisor() {
  const Result<Reply> reply = ask(options_.socket, {.target = "/v1/status"}, first_patience);
  if (!reply) {
    return reply.error().message;
  }
  if (reply->status != 200) {
    return top::read_error(reply->body, reply->status);
  }
  Result<top::Sample> sample = top::read_status(reply->body);
  if (!sample) {
    return sample.error().message;
  }
  model_.take(std::move(*sample), now());
  return std::nullopt;
}

int Top::run() {
  if (const auto why = look_for_supervisor()) {
    tell(fmt::format("corral: {}\n", *why));
    return 1;
  }
  if (const Result<void> entered = terminal_.enter(); !entered) {
    return complain(entered.error());
  }
  ask_at_ = after(now(), std::min<Duration>(options_.interval, 250ms));  // Rates need a second look: a first one soon.
  while (!status_) {
    proceed();
  }
  terminal_.leave();
  if (!why_.empty()) {
    tell(fmt::format("corral: {}\n", why_));
  }
  return *status_;
}

void Top::proceed() {
  if (ask_at_ <= now()) {
    ask_again();
  }
  show();
  if (status_) {
    return;
  }
  wait();
  if (const int signal = terminal_.take_ending(); signal != 0) {
    return end(128 + signal);
  }
  if (terminal_.take_stop()) {
    if (const Result<void> back = terminal_.suspend(); !back) {
      return end(1, back.error().message);
    }
    renderer_.forget();
  }
  static_cast<void>(terminal_.take_resize());  // The next screen asks for the size anyway.
  hear_answers();
  if (keys_ready_ || keys_settle_at_ <= now()) {
    read_keys();
  }
}

Instant Top::next_deadline() const {
  Instant next = std::min(ask_at_, keys_settle_at_);
  for (const Question& question : questions_) {
    if (question.about == Question::About::status) {
      next = std::min(next, now() - question.since < silence ? after(question.since, silence) : after(now(), 1s));
    }
  }
  return next;
}

void Top::wait() {
  std::vector<pollfd> watched{{STDIN_FILENO, POLLIN, 0}};
  for (const Question& question : questions_) {
    const auto wanted = static_cast<short>(question.exchange.wants_to_write() ? POLLOUT : POLLIN);
    watched.push_back({question.exchange.descriptor(), wanted, 0});
  }
  const auto left = std::max<Duration>(next_deadline() - now(), 0ns);
  const timespec timeout{left / 1s, (left % 1s).count()};
  const int ready = ::ppoll(watched.data(), watched.size(), &timeout, &terminal_.mask_while_waiting());
  keys_ready_ = ready > 0 && watched[0].revents != 0;
  for (std::size_t at = 0; at < questions_.size(); ++at) {
    questions_[at].ready = ready > 0 && watched[at + 1].revents != 0;
  }
}

// ---- The supervisor -------------------------------------------------------------------------------------------------

void Top::begin(Question::About about, const Request& request, std::string done) {
  Result<Exchange> exchange = Exchange::begin(options_.socket, request);
  if (exchange) {
    questions_.push_back({about, std::move(*exchange), now(), std::move(done)});
    return;
  }
  const int error = exchange.error().error_number;
  if (error == ECONNREFUSED || error == ENOENT) {
    return end(1, fmt::format("the supervisor (pid {}) has ended", model_.sample()->pid));
  }
  model_.miss(exchange.error().message);
}

void Top::ask_again() {
  ask_at_ = after(now(), options_.interval);
  if (!asks(Question::About::status)) {
    begin(Question::About::status, {.target = "/v1/status"});
  }
  if (!status_ && has_events_ && !asks(Question::About::events)) {
    begin(Question::About::events, {.target = "/v1/events"});
  }
}

void Top::hear_answers() {
  std::vector<Question> asked = std::exchange(questions_, {});
  for (Question& question : asked) {
    Result<std::optional<Reply>> reply = question.ready ? question.exchange.proceed() : std::nullopt;
    const Duration age = now() - question.since;
    const bool is_command = question.about == Question::About::command;
    if (!reply) {
      fail(question, reply.error().message);
    } else if (*reply) {
      heard(question, **reply);
    } else if (is_command || age < most_patience) {
      if (question.about == Question::About::status && age >= silence) {
        model_.miss(fmt::format("the supervisor has not answered for {} s", age / 1s));
      }
      questions_.push_back(std::move(question));
    }
  }
}

void Top::heard(const Question& question, const Reply& reply) {
  const bool good = reply.status >= 200 && reply.status < 300;
  switch (question.about) {
    case Question::About::command: return model_.say(good ? question.done : top::read_error(reply.body, reply.status));
    case Question::About::events:
      has_events_ = good;  // One that knows none will not learn it.
      if (Result<top::LastEvents> events = top::read_events(reply.body); good && events) {
        model_.take(std::move(*events));
      }
      return;
    case Question::About::status: break;
  }
  Result<top::Sample> sample = good ? top::read_status(reply.body) : failure(top::read_error(reply.body, reply.status));
  if (!sample) {
    return fail(question, sample.error().message);
  }
  model_.take(std::move(*sample), now());
}

void Top::fail(const Question& question, const std::string& why) {
  if (question.about == Question::About::command) {
    model_.say(why);
  } else {
    model_.miss(why);
  }
}

// ---- Keys -----------------------------------------------------------------------------------------------------------

void Top::read_keys() {
  std::vector<top::Key> keys;
  std::string bytes;
  if (keys_ready_ && !terminal_.read(bytes)) {
    return end(1);  // Nobody is there to be told.
  }
  if (bytes.empty()) {
    keys_.settle(keys);
  } else {
    keys_.read(bytes, keys);
  }
  keys_settle_at_ = keys_.undecided() ? after(now(), escape_pause) : never;
  for (const top::Key& key : keys) {
    if (const auto wanted = model_.press(key); wanted && !status_) {
      act(*wanted);
    }
  }
}

void Top::act(const top::Act& act) {
  switch (act.kind) {
    case top::Act::Kind::quit: return end(0);
    case top::Act::Kind::start: return command("start", act, act.worker + " is started");
    case top::Act::Kind::stop: return command("stop", act, act.worker + " is stopped");
    case top::Act::Kind::restart: return command("restart", act, act.worker + " is restarted");
    case top::Act::Kind::signal: return command("signal", act, fmt::format("SIG{} was sent to {}", act.signal, act.worker));
    case top::Act::Kind::follow_log: return follow_log(act.worker);
  }
}

void Top::command(std::string_view verb, const top::Act& act, std::string done) {
  if (std::ranges::count(questions_, Question::About::command, &Question::about) >= std::ptrdiff_t{most_commands}) {
    return model_.say("too many commands are under way; wait for one of them");
  }
  std::string body = R"({"targets":[)";
  append_json_string(body, act.worker);
  body += ']';
  if (!act.signal.empty()) {
    body += R"(,"signal":)";
    append_json_string(body, act.signal);
  }
  body += '}';
  const std::string target = fmt::format("/v1/workers/{}", verb);
  model_.say(fmt::format("{} {} ...", verb, act.worker));
  begin(Question::About::command, {.method = "POST", .target = target, .body = body}, std::move(done));
  ask_at_ = std::min(ask_at_, after(now(), 200ms));  // What comes of it is to be seen soon.
}

void Top::follow_log(const std::string& worker) {
  terminal_.leave();
  const std::vector<std::string> words{"corral", "logs", "--socket", options_.socket, "--follow", worker};
  const Result<top::ForegroundEnd> ended = top::run_in_foreground("/proc/self/exe", words, terminal_.mask_while_waiting());
  const bool failed = !ended || (WIFEXITED(ended->status) && WEXITSTATUS(ended->status) != 0 && WEXITSTATUS(ended->status) < 128);
  if (ended && ended->ended_by != 0) {
    return end(128 + ended->ended_by);
  }
  if (failed) {  // It has said why; that is not wiped out before it was read.
    tell(ended ? "corral: Enter goes back\n" : fmt::format("corral: {}; Enter goes back\n", ended.error().message));
    pollfd key{STDIN_FILENO, POLLIN, 0};
    static_cast<void>(::ppoll(&key, 1, nullptr, &terminal_.mask_while_waiting()));
  }
  if (const Result<void> back = terminal_.enter(); !back) {
    return end(1, back.error().message);
  }
  std::string typed;
  static_cast<void>(terminal_.read(typed));
  renderer_.forget();
}

void Top::show() {
  look_.size = terminal_.size();
  model_.fit(top::visible_workers(look_.size));
  if (!terminal_.write(renderer_.draw(top::paint(model_, look_), look_.size))) {
    end(1);
  }
}

}  // namespace

int run_top(const TopOptions& options) {
  if (const std::string why = top::why_no_screen(); !why.empty()) {
    tell(fmt::format("corral: top needs a terminal ({}); use: corral status --watch, or corral status --json\n", why));
    return refused;
  }
  Top screen(options);
  return screen.run();
}

}  // namespace corral::cli
