// Workers die before the supervisor when memory runs out.
//
// A process inherits this score. So where many are launched at once, the supervisor has theirs for a moment, which is two writes
// to files instead of one for each worker. Each of those leaves an entry in the kernel's cache of /proc, which it has to throw
// away when the worker is reaped: a tenth of what a stop takes.
//
// A score that is configured is written for each worker when its exec was seen, which is up to some milliseconds after its first
// instruction. What it has forked by then (a shell that starts the real program at once) has the supervisor's score, and is
// told too, a moment later: a worker that has ended by then costs nothing. What it forks afterwards inherits.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>

#include "supervisor/shell/process/processes_state.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

constexpr int lowest_score = -1000;
constexpr int highest_score = 1000;
constexpr int before_the_supervisor = 10;  // A hundredth of the memory: more than the supervisor ever has.
constexpr std::size_t many = 32;

int scores_of_workers(int own) { return std::min(highest_score, own + before_the_supervisor); }

std::optional<int> read_score(const std::string& process) {
  const auto text = read_small_file(("/proc/" + process + "/oom_score_adj").c_str());
  int score = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), score).ec != std::errc{}) {
    return std::nullopt;
  }
  return std::clamp(score, lowest_score, highest_score);
}

/// False, with errno, where that is not so afterwards.
bool write_score(const std::string& process, int score) {
  const FileDescriptor fd(::open(("/proc/" + process + "/oom_score_adj").c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(score);
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

void Processes::expect(std::size_t workers) {
  State& s = *state_;
  if (workers >= many && !s.options.plain && !s.caught_up) {
    s.scores_inherited = write_score("self", scores_of_workers(s.own_score()));
  }
}

/// That of before, while it is another for a moment.
int Processes::State::own_score() {
  if (!own_oom_score) {
    own_oom_score = read_score("self").value_or(0);
  }
  return *own_oom_score;
}

/// The kernel takes this write for every process that still shares our memory, before its exec: those are told by themselves when
/// they are settled, as all are from now on.
void Processes::State::take_own_score_back() {
  if (scores_inherited && !write_score("self", *own_oom_score)) {
    notices.push_back(
        system_error("cannot take the oom_score_adj of before; memory that runs out may take corral first", errno).message);
  }
  scores_inherited = false;
}

/// After exec, by the supervisor: before it, the kernel would take a write for the whole memory that both share and
/// change the supervisor's own value too.
void Processes::State::set_oom_score(Life life, pid_t pid, int score, const std::string* program) {
  if (write_score(std::to_string(pid), score)) {
    if (program != nullptr) {
      scored.push_back({life, pid, score});
    }
  } else if (program != nullptr && errno != ESRCH && errno != ENOENT) {
    const std::string what =
        *program + "/" + std::to_string(life.worker.index) + ": cannot set oom_score_adj " + std::to_string(score);
    notices.push_back(system_error(what, errno).message);
  }
}

/// Whoever has a score of neither kind has chosen one itself.
bool Processes::State::has_inherited_score(pid_t pid, int told) {
  const std::optional<int> score = read_score(std::to_string(pid));
  return score && *score != told && (*score == own_score() || *score == scores_of_workers(own_score()));
}

/// To all that a worker has forked before it was told itself. A fork that is just under way is in no list yet, but has taken the
/// old score along: so this is done once more when anybody had to be told.
bool Processes::State::pass_score_on(const Told& worker) {
  static constexpr std::size_t most = 1000;  // In its first moments; for the loop's sake.
  static constexpr std::size_t few_orphans = 64;
  std::vector<pid_t> heirs = children_of(worker.pid);
  // Some may have lost their parent meanwhile. With many orphans around it would take long to find whose they are.
  const std::vector<pid_t> strays = orphans(false).value_or(std::vector<pid_t>{});
  if (strays.size() <= few_orphans) {
    const unsigned long slack = markers.slack(leaders.at(worker.pid).marker);
    std::ranges::copy_if(strays, std::back_inserter(heirs), [&](pid_t stray) {
      return origin(stray) == worker.life || (slack != 0 && timer_slack_of(stray) == slack);
    });
  }
  bool any = false;
  for (std::size_t i = 0; i < heirs.size() && i < most; ++i) {
    any = (has_inherited_score(heirs[i], worker.score) && write_score(std::to_string(heirs[i]), worker.score)) || any;
    std::ranges::copy(children_of(heirs[i]), std::back_inserter(heirs));
  }
  return any;
}

bool Processes::scores_are_due() const {
  return state_->scores_inherited || !state_->unscored.empty() || !state_->scored.empty();
}

void Processes::set_some_scores() {
  static constexpr std::size_t batch = 64;
  State& s = *state_;
  s.take_own_score_back();
  for (std::size_t i = 0; i < batch && !s.unscored.empty(); ++i) {
    const pid_t pid = s.unscored.back();
    s.unscored.pop_back();
    if (const auto leader = s.leaders.find(pid); leader != s.leaders.end()) {
      s.set_oom_score(leader->second.life, pid, scores_of_workers(s.own_score()), nullptr);
    }
  }
  std::vector<Told> again;
  for (std::size_t i = 0; i < batch / 4 && !s.scored.empty(); ++i) {
    const Told worker = s.scored.back();
    s.scored.pop_back();
    if (const auto leader = s.leaders.find(worker.pid); leader != s.leaders.end() && leader->second.life == worker.life) {
      if (s.pass_score_on(worker)) {
        again.push_back(worker);
      }
    }
  }
  s.scored.insert(s.scored.begin(), again.begin(), again.end());
  if (s.unscored.empty()) {
    std::vector<pid_t>().swap(s.unscored);
  }
}

}  // namespace corral::process
