#include "supervisor/cli/top.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/control_commands.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/top/foreground.hpp"
#include "supervisor/cli/top/model.hpp"
#include "supervisor/cli/top/painter.hpp"
#include "supervisor/cli/top/renderer.hpp"
#include "supervisor/cli/top/terminal.hpp"
#include "supervisor/cli/top_questions.hpp"

namespace corral::cli {

using namespace std::chrono_literals;

namespace {

constexpr Duration shortest_interval = 50ms;
constexpr Duration escape_pause = 50ms;  ///< Between Escape and what a terminal sends with it.

Instant now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

class Top {
 public:
  Top(const TopOptions& options, const process::Instance& server)
      : questions_(server, std::max(options.interval, shortest_interval), model_),
        renderer_(wants_colour(options.colour, STDOUT_FILENO)),
        look_{{}, top::terminal_speaks_utf8()} {}

  int run();

 private:
  void proceed();
  void show();
  void wait();
  void hear_signals();
  void read_keys();
  void act(const top::Act& act);
  void follow_log(const std::string& worker);
  [[nodiscard]] int await_key();
  void come_back();
  void end(int status, std::string why = {}) {
    status_ = status;
    why_ = std::move(why);
  }

  top::Model model_;
  TopQuestions questions_;
  top::Renderer renderer_;
  top::Look look_;
  top::KeyReader keys_;
  top::Terminal terminal_;
  std::vector<pollfd> watched_;  ///< The terminal, then what is asked.
  Instant keys_settle_at_ = never;
  std::optional<int> status_;
  std::string why_;
};

int Top::run() {
  if (const Result<void> seen = questions_.look_first(); !seen) {
    tell(fmt::format("corral: {}\n", seen.error().message));
    return nobody_answers;
  }
  if (const Result<void> entered = terminal_.enter(); !entered) {
    return complain(entered.error());
  }
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
  questions_.ask(now());
  show();
  if (!status_) {
    wait();
    hear_signals();
  }
  if (!status_) {
    questions_.hear(std::span(watched_).subspan(1), now());
    read_keys();
  }
  if (!status_ && !questions_.gone().empty()) {
    end(nobody_answers, questions_.gone());
  }
}

void Top::show() {
  look_.size = terminal_.size();
  model_.fit(top::visible_workers(look_.size));
  if (!terminal_.write(renderer_.draw(top::paint(model_, look_), look_.size))) {
    end(1);
  }
}

void Top::wait() {
  watched_.assign(1, {STDIN_FILENO, POLLIN, 0});
  questions_.watch(watched_);
  const Instant next = std::min(questions_.next_deadline(now()), keys_settle_at_);
  const auto left = std::max<Duration>(next - now(), 0ns);
  const timespec timeout{left / 1s, (left % 1s).count()};
  if (::ppoll(watched_.data(), watched_.size(), &timeout, &terminal_.mask_while_waiting()) < 0) {
    for (pollfd& one : watched_) {
      one.revents = 0;
    }
  }
}

void Top::hear_signals() {
  static_cast<void>(terminal_.take_resize());  // To be woken is enough: each screen asks for the size.
  if (const int signal = terminal_.take_ending(); signal != 0) {
    return end(128 + signal);
  }
  if (terminal_.take_stop()) {
    terminal_.leave();
    static_cast<void>(::raise(SIGSTOP));
    come_back();
  }
}

void Top::come_back() {
  renderer_.forget();
  if (const Result<void> back = terminal_.enter(); !back) {
    end(1, back.error().message);
  }
}

void Top::read_keys() {
  std::vector<top::Key> keys;
  std::string bytes;
  if (watched_.front().revents != 0 && !terminal_.read(bytes)) {
    return end(1);  // Nobody is there to be told.
  }
  if (!bytes.empty()) {
    keys_.read(bytes, keys);
    keys_settle_at_ = keys_.undecided() ? after(now(), escape_pause) : never;
  } else if (keys_settle_at_ <= now()) {
    keys_.settle(keys);
    keys_settle_at_ = never;
  }
  for (const top::Key& key : keys) {
    if (const auto wanted = model_.press(key); wanted && !status_) {
      act(*wanted);
    }
  }
}

void Top::act(const top::Act& act) {
  if (act.kind == top::Act::Kind::quit) {
    end(0);
  } else if (act.kind == top::Act::Kind::follow_log) {
    follow_log(act.worker);
  } else {
    questions_.command(act, now());
  }
}

/// Ctrl-C is as good as a key: it is what ends a log that there is. Otherwise the signal that ends us.
int Top::await_key() {
  while (true) {
    pollfd key{STDIN_FILENO, POLLIN, 0};
    const int ready = ::ppoll(&key, 1, nullptr, &terminal_.mask_while_waiting());
    if (const int signal = terminal_.take_ending(); signal != 0) {
      return signal == SIGINT || signal == SIGQUIT ? 0 : signal;
    }
    if (ready > 0) {
      return 0;
    }
    if (terminal_.take_stop()) {
      static_cast<void>(::raise(SIGSTOP));
    }
  }
}

/// The command that does that has all of the terminal meanwhile.
void Top::follow_log(const std::string& worker) {
  terminal_.leave();
  // It reads files, which the configuration names: no supervisor is needed for that.
  const std::vector<std::string> words{"corral", "logs", "--config", model_.sample()->config, "--follow", worker};
  const auto ended = top::run_in_foreground("/proc/self/exe", words, terminal_.mask_while_waiting());
  if (ended && ended->ended_by != 0) {
    return end(128 + ended->ended_by);
  }
  // Its own words are not wiped out before they were read.
  if (!ended || (WIFEXITED(ended->status) && WEXITSTATUS(ended->status) != 0 && WEXITSTATUS(ended->status) < 128)) {
    tell(ended ? "corral: Enter goes back\n" : fmt::format("corral: {}; Enter goes back\n", ended.error().message));
    if (const int signal = await_key(); signal != 0) {
      return end(128 + signal);
    }
  }
  terminal_.forget_typed();  // To another program, or that Enter.
  come_back();
}

}  // namespace

int run_top(const TopOptions& options) {
  if (const std::string why = top::why_no_screen(); !why.empty()) {
    tell(fmt::format("corral: top needs a terminal ({}); use: corral status --watch, or corral status --json\n", why));
    return refused;
  }
  const auto supervisor = find_supervisor(options.whose);
  if (!supervisor) {
    return complain(supervisor.error());
  }
  Top screen(options, *supervisor);
  return screen.run();
}

}  // namespace corral::cli
