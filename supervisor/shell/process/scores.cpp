// Workers die before the supervisor when memory runs out.
//
// A process inherits this score. So where many are launched at once, the supervisor has theirs for a moment, which is two writes
// to files instead of one for each worker. Each of those leaves an entry in the kernel's cache of /proc, which it has to throw
// away when the worker is reaped: a tenth of what a stop takes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "supervisor/shell/process/processes_state.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

constexpr int lowest_score = -1000;
constexpr int highest_score = 1000;
constexpr int before_the_supervisor = 10;  // A hundredth of the memory: more than the supervisor ever has.
constexpr std::size_t many = 32;

int scores_of_workers(int own) { return std::min(highest_score, own + before_the_supervisor); }

int read_own_score() {
  const std::string text = read_small_file("/proc/self/oom_score_adj").value_or("0");
  int score = 0;
  std::from_chars(text.data(), text.data() + text.size(), score);
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
    s.own_oom_score = read_own_score();
    s.scores_inherited = write_score("self", scores_of_workers(*s.own_oom_score));
  }
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
  if (!write_score(std::to_string(pid), score) && program != nullptr && errno != ESRCH && errno != ENOENT) {
    const std::string what =
        *program + "/" + std::to_string(life.worker.index) + ": cannot set oom_score_adj " + std::to_string(score);
    notices.push_back(system_error(what, errno).message);
  }
}

bool Processes::scores_are_due() const { return state_->scores_inherited || !state_->unscored.empty(); }

void Processes::set_some_scores() {
  static constexpr std::size_t batch = 64;
  State& s = *state_;
  s.take_own_score_back();
  if (!s.own_oom_score) {
    s.own_oom_score = read_own_score();
  }
  for (std::size_t i = 0; i < batch && !s.unscored.empty(); ++i) {
    const pid_t pid = s.unscored.back();
    s.unscored.pop_back();
    if (const auto leader = s.leaders.find(pid); leader != s.leaders.end()) {
      s.set_oom_score(leader->second.life, pid, scores_of_workers(*s.own_oom_score), nullptr);
    }
  }
  if (s.unscored.empty()) {
    std::vector<pid_t>().swap(s.unscored);
  }
}

}  // namespace corral::process
