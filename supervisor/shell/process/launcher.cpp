#include "supervisor/shell/process/launcher.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <functional>

#include "common/base/check.hpp"
#include "supervisor/shell/process/coarse_clock.hpp"
#include "supervisor/shell/process/launch_outcome.hpp"
#include "supervisor/shell/process/launch_text.hpp"
#include "supervisor/shell/process/raw_syscall.hpp"
#include "supervisor/shell/process/template_parts.hpp"

namespace corral::process {
namespace {

using core::LaunchFailure;
using core::LaunchStep;

/// An exec that takes this long hangs on a disk: nobody waits for it again, its outcome comes when it comes.
constexpr Duration slow_after = std::chrono::milliseconds(20);

constexpr unsigned long sharing = CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

int start_for_clone(void* plan) {
  start_worker(plan);
  return 127;
}

/// Whether workers would share a terminal with the supervisor if they stayed in its session. Unknown counts as yes.
bool has_terminal() {
  const int fd = ::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0) {
    close(fd);
  }
  return fd >= 0 || errno != ENXIO;
}

bool refuses_cgroups(int error) {
  return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL || error == EOPNOTSUPP || error == EBUSY ||
         error == ENODEV || error == ENOENT || error == E2BIG;  // The last but one: somebody has removed it.
}

}  // namespace

Result<std::unique_ptr<Launcher>> Launcher::open(std::string identity, const ProcessSetup& setup, bool plain) {
  std::unique_ptr<Launcher> launcher(new Launcher);
  launcher->identity_ = std::move(identity);
  launcher->supervisor_ = getpid();
  if (setup.inherited_open_files().rlim_cur != setup.inherited_open_files().rlim_max) {
    launcher->open_files_ = setup.inherited_open_files();
  }
  // Nothing is open up there: this only asks whether the call exists and is allowed.
  if (syscall(SYS_close_range, 0x7fffff00U, ~0U, 0U) != 0) {
    launcher->shares_files_ = false;
    for (int fd = 3; fd < 1024; ++fd) {  // What we inherited; our own have it from birth.
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    launcher->notices_.emplace_back(
        "close_range(2) is not available: launches cost more with every open descriptor, and workers rely on close-on-exec");
  }
  if (plain) {
    return launcher;
  }
  launcher->own_sessions_ = has_terminal();
  if (launcher->null() < 0) {
    return system_failure("cannot open '/dev/null' for the workers' stdin", errno);
  }
  // Now, while low numbers are to be had.
  for (std::size_t i = 0; i < Processes::side_by_side; ++i) {
    std::array<int, handed_descriptors> reserved = no_descriptors;
    for (const std::size_t stream : {1U, 2U}) {
      reserved[stream] = fcntl(launcher->null_, F_DUPFD_CLOEXEC, 3);
    }
    launcher->reserves_.push_back(reserved);
  }
  std::ranges::reverse(launcher->reserves_);  // The lowest first: a worker copies the table up to its own.
  return launcher;
}

Launcher::~Launcher() {
  harvest();
  for (Slot& slot : busy_) {
    static_cast<void>(slot.release());  // NOLINT(bugprone-unused-return-value): still in use by a process that hangs in exec.
  }
  for (const std::array<int, handed_descriptors>& reserved : reserves_) {
    for (const int fd : reserved) {
      if (fd >= 0) {
        close(fd);
      }
    }
  }
  if (null_ >= 0) {
    close(null_);
  }
}

std::expected<Launcher::Slot, LaunchFailure> Launcher::take_slot() {
  if (busy_.size() >= Processes::side_by_side) {
    harvest();
    if (busy_.size() - slow_ >= Processes::side_by_side) {
      wait_for_oldest();
      harvest();
    }
  }
  if (!free_.empty()) {
    Slot slot = std::move(free_.back());
    free_.pop_back();
    return slot;
  }
  Slot slot = std::make_unique<LaunchSlot>();
  if (!slot->has_stack()) {
    return std::unexpected(LaunchFailure{LaunchStep::prepare, ENOMEM, {}});
  }
  slot->first_few = made_ < Processes::side_by_side;
  ++made_;
  if (!reserves_.empty()) {
    slot->reserved = reserves_.back();
    reserves_.pop_back();
  }
  return slot;
}

void Launcher::give_back(Slot slot) {
  // Slots beyond the first few, made while execs hang, have high descriptors, and those make every launch dear.
  if (slot->first_few) {
    holding_ = holding_ || std::ranges::any_of(slot->holds, std::identity{});
    free_.push_back(std::move(slot));
  }
}

void Launcher::let_go_of_output() {
  if (!std::exchange(holding_, false)) {
    return;
  }
  for (const Slot& slot : free_) {
    for (std::size_t i = 0; i < handed_descriptors; ++i) {
      if (std::exchange(slot->holds[i], false)) {
        dup3(null_, slot->reserved[i], O_CLOEXEC);
      }
    }
  }
}

int Launcher::null() {
  if (null_ < 0) {
    null_ = ::open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
  }
  return null_;
}

int Launcher::reserve(int& reserved) {
  if (reserved < 0) {
    reserved = fcntl(null(), F_DUPFD_CLOEXEC, 3);
  }
  return reserved < 0 ? errno : 0;
}

std::expected<void, LaunchFailure> Launcher::arrange_descriptors(LaunchSlot& slot, const LaunchRequest& request) {
  StartPlan& plan = slot.plan;
  const std::array<int, handed_descriptors> wanted{request.stdin_fd, request.stdout_fd, request.stderr_fd, request.task_fd,
                                                   request.mark_fd};
  for (std::size_t i = 0; i < handed_descriptors; ++i) {
    plan.descriptors[i] = wanted[i];
    if (wanted[i] > 2) {
      // A copy, since the caller may close its own before the worker has come to take it.
      if (const int error = reserve(slot.reserved[i]); error != 0) {
        return std::unexpected(LaunchFailure{LaunchStep::prepare, error, {}});
      }
      if (dup3(wanted[i], slot.reserved[i], O_CLOEXEC) < 0) {
        return std::unexpected(LaunchFailure{LaunchStep::prepare, errno, {}});
      }
      slot.holds[i] = true;
      plan.descriptors[i] = slot.reserved[i];
    }
    if (i == 0 && wanted[i] < 0 && !request.transparent) {
      plan.descriptors[i] = null();
    }
    plan.descriptor_bound = std::max(plan.descriptor_bound, static_cast<unsigned>(plan.descriptors[i] + 1));
  }
  return {};
}

std::expected<void, LaunchFailure> Launcher::fill(LaunchSlot& slot, const LaunchRequest& request) const {
  const LaunchTemplate::Parts& parts = request.program->parts();
  if (auto written = write_text(slot, request, identity_); !written) {
    return written;
  }
  StartPlan& plan = slot.plan;
  plan.path = slot.path.c_str();
  plan.argv = slot.argv.data();
  plan.envp = slot.envp.data();
  plan.own_session = own_sessions_ && !request.transparent;
  plan.take_terminal = request.transparent && tcgetpgrp(0) == getpgrp();
  plan.shares_files = shares_files_;
  plan.directory = slot.directory.empty() ? nullptr : slot.directory.c_str();
  plan.supervisor = supervisor_;
  if (request.placement != nullptr && !request.placement->empty()) {
    slot.affinity.assign(*std::prev(request.placement->end()) / 64U + 1U, 0);
    for (const std::uint16_t cpu : *request.placement) {
      slot.affinity[cpu / 64U] |= 1UL << (cpu % 64U);
    }
    plan.affinity = slot.affinity.data();
    plan.affinity_size = slot.affinity.size() * sizeof(unsigned long);
  }
  slot.limits.clear();
  if (open_files_) {
    slot.limits.push_back({RLIMIT_NOFILE, *open_files_});
  }
  slot.limits.insert(slot.limits.end(), parts.limits.begin(), parts.limits.end());
  plan.limits = slot.limits.data();
  plan.limit_count = slot.limits.size();
  plan.set_nice = parts.nice.has_value();
  plan.nice = parts.nice.value_or(0);
  plan.umask = parts.umask.value_or(-1);
  const Account& account = parts.account;
  plan.set_groups = account.set_groups;
  plan.groups = account.groups.data();
  plan.group_count = account.groups.size();
  plan.set_group = account.set_group;
  plan.group = account.group;
  plan.set_user = account.set_user;
  plan.user = account.user;
  plan.no_new_privileges = parts.no_new_privileges;
  return {};
}

long Launcher::clone(LaunchSlot& slot, int cgroup) {
  const unsigned long flags = sharing | (shares_files_ ? CLONE_FILES : 0UL);
  if (cgroup >= 0 && cgroup_refused_ == 0) {
    clone_args arguments{};
    arguments.flags = flags | CLONE_INTO_CGROUP;
    arguments.parent_tid = reinterpret_cast<std::uintptr_t>(&slot.tid);
    arguments.child_tid = arguments.parent_tid;
    arguments.exit_signal = SIGCHLD;
    arguments.stack = reinterpret_cast<std::uintptr_t>(slot.stack_base());
    arguments.stack_size = LaunchSlot::stack_size;
    arguments.cgroup = static_cast<unsigned>(cgroup);
    const long pid = raw_clone3(&arguments, sizeof arguments, start_worker, &slot.plan);
    if (pid > 0 || !refuses_cgroups(static_cast<int>(-pid))) {
      return pid;
    }
    cgroup_refused_ = static_cast<int>(-pid);
  }
  const long pid =
      ::clone(start_for_clone, slot.stack_top(), static_cast<int>(flags) | SIGCHLD, &slot.plan, &slot.tid, nullptr, &slot.tid);
  return pid < 0 ? -errno : pid;
}

std::expected<pid_t, LaunchFailure> Launcher::start(const LaunchRequest& request, int cgroup, unsigned long timer_slack) {
  CORRAL_CHECK(request.program != nullptr);
  auto taken = take_slot();
  if (!taken) {
    return std::unexpected(std::move(taken.error()));
  }
  Slot slot = std::move(*taken);
  slot->plan = StartPlan{};
  slot->life = request.life;
  slot->program = request.program;
  slot->transparent = request.transparent;
  auto filled = fill(*slot, request);
  if (filled) {
    filled = arrange_descriptors(*slot, request);
  }
  if (!filled) {
    give_back(std::move(slot));
    return std::unexpected(std::move(filled.error()));
  }
  slot->plan.timer_slack = timer_slack;
  const long pid = clone(*slot, cgroup);
  if (pid < 0) {
    slot->tid = 0;
    give_back(std::move(slot));
    return std::unexpected(LaunchFailure{LaunchStep::fork, static_cast<int>(-pid), {}});
  }
  slot->pid = static_cast<pid_t>(pid);
  slot->started = coarse_now();
  busy_.push_back(std::move(slot));
  return static_cast<pid_t>(pid);
}

void Launcher::harvest() {
  for (std::size_t i = 0; i < busy_.size();) {
    if (!busy_[i]->released()) {
      ++i;
      continue;
    }
    Slot slot = std::move(busy_[i]);
    busy_.erase(busy_.begin() + static_cast<std::ptrdiff_t>(i));
    slow_ -= i < slow_ ? 1 : 0;
    Finished finished{slot->life, slot->pid, slot->program, slot->transparent, std::nullopt};
    if (__atomic_load_n(&slot->plan.failed, __ATOMIC_ACQUIRE)) {
      finished.failure = failure_of(*slot);
      slot->template_number = 0;  // Its command may be somewhere else by now.
    }
    finished_.push_back(std::move(finished));
    give_back(std::move(slot));
  }
}

void Launcher::wait_for_oldest() {
  LaunchSlot& slot = *busy_[slow_];
  const timespec wait{0, 1'000'000};
  const int tid = __atomic_load_n(&slot.tid, __ATOMIC_ACQUIRE);
  if (tid != 0 && syscall(SYS_futex, &slot.tid, FUTEX_WAIT, tid, &wait, nullptr, 0) != 0 && errno == ETIMEDOUT &&
      coarse_now() - slot.started > slow_after) {
    ++slow_;
  }
}

void Launcher::collect(std::vector<Finished>& out) {
  harvest();
  std::ranges::move(finished_, std::back_inserter(out));
  finished_.clear();
}

}  // namespace corral::process
