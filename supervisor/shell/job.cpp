// Job control of `exec`: what happens to the job is looked at, core/job_control.hpp says what is to be done, it is done here.
#include <unistd.h>

#include <csignal>

#include "supervisor/core/job_control.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::shell {

using core::Foreground;
using core::JobReaction;

void Pump::follow_job(const process::JobChange& change) {
  stopped_.reset();
  if (change.stopped_by != 0) {
    stopped_ = change.life;
    follow_stop(change.life, change.stopped_by);
  }
}

void Pump::follow_stop(Life life, int signal) {
  const Foreground foreground = terminal_.foreground();
  JobReaction reaction = core::on_command_stopped(signal, foreground);
  if (reaction == JobReaction::hand_over && !terminal_.hand_over()) {
    reaction = core::on_command_stopped(signal, Foreground::stranger);  // It is as good as that.
  }
  if (reaction == JobReaction::stop_along && !terminal_.stop_job(signal)) {
    reaction = core::on_stop_refused(signal, foreground);
  }
  if (reaction == JobReaction::resume || reaction == JobReaction::hand_over) {
    processes_->signal(life, SIGCONT);
  }
}

bool Pump::is_for_command(const ReceivedSignal& signal) {
  if (!terminal_.exists()) {
    return true;
  }
  if (signal.number == SIGCONT) {
    if (signal.sender == ::getpid()) {
      return false;  // From return_to_job(), for the others.
    }
    terminal_.continued();
  } else if (core::is_wanted_back(signal.number, signal.from_kernel, terminal_.foreground()) && terminal_.return_to_job()) {
    return false;
  } else if (signal.number == SIGTSTP && stopped_) {
    follow_stop(*stopped_, SIGTSTP);  // It is stopped already, so that nothing would be heard of it again.
    return false;
  }
  return true;
}

}  // namespace corral::shell
