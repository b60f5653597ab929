// Before the first turn of the loop, and after the start.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <system_error>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/system/system_error.hpp>

#include "common/base/file_descriptor.hpp"
#include "supervisor/shell/process/code_pages.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::shell {

/// The parser, the command line, the topology.
void Pump::release_start_up_pages() const {
  if (!options_.own_descriptors) {  // `exec` has read little, and its first signal shall find everything in place.
    process::release_code_pages();
  }
}

/// While threads share the table of descriptors, the kernel waits for all processors whenever it has to grow: milliseconds each
/// time. So it grows at once to what a plan needs, and not in the loop.
void Pump::reserve_descriptors(const Prepared& prepared) {
  static constexpr std::size_t of_our_own = 64;
  static constexpr std::size_t a_worker = 4;
  std::size_t most = of_our_own;
  for (const core::PlannedProgram& planned : prepared.plan.programs) {
    most += a_worker * planned.placements.size();
  }
  // Where the limit of open files is lower there is nothing to reserve.
  const FileDescriptor highest(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, static_cast<int>(std::min(most, std::size_t{1} << 20U))));
}

Result<std::unique_ptr<Pump>> Pump::open(const process::ProcessSetup& setup, PumpOptions options) {
  try {
    std::unique_ptr<Pump> pump(new Pump(std::move(options)));
    if (Result<void> opened = pump->open_all(setup); !opened) {
      return std::unexpected(opened.error());
    }
    return pump;
  } catch (const boost::system::system_error& error) {
    return system_failure("cannot set up the loop", error.code().value());
  }
}

Result<void> Pump::open_all(const process::ProcessSetup& setup) {
  static constexpr std::size_t enough_for_the_end = std::size_t{64} * 1024;
  reserve_.reserve(enough_for_the_end);  // Not touched, so it is an address and no memory.
  Result<SignalSource> signals = SignalSource::open(setup.blocked());
  if (!signals) {
    return std::unexpected(signals.error());
  }
  signals_ = std::move(*signals);
  signals_ready_.assign(signals_->descriptor());

  if (options_.own_descriptors) {
    terminal_ = Terminal::open();
    options_.processes.watch_jobs = terminal_.exists();
  } else if (!options_.own_output) {
    Result<Relay> relay =
        Relay::open([this](const WorkerOutput& output) { hear(output); }, [this](FileDescriptor fd) { close(std::move(fd)); });
    if (!relay) {
      return std::unexpected(relay.error());
    }
    relay_ = std::move(*relay);
    output_ready_.assign(relay_->descriptor());
  }

  Result<process::Processes> processes = process::Processes::open(setup, options_.processes);
  if (!processes) {
    return std::unexpected(processes.error());
  }
  processes_ = std::move(*processes);

  Narrator narrator(
      [this](ProgramId id) -> std::string_view {
        return number(id) < programs_.size() ? programs_[number(id)].name : std::string_view("?");
      },
      [this](ProgramId id) { return number(id) < programs_.size() ? programs_[number(id)].reliefs : 0; });
  chronicle_ = std::make_unique<Chronicle>(std::move(narrator), ChronicleLimits{}, stamp_now,
                                           [this](const SharedEvent& event) { witness(event); });
  voice_ = std::make_unique<Voice>(loop_, options_.voice, *chronicle_, [this] {
    if (output_paused_ && !voice_->congested()) {
      output_paused_ = false;
      watch_output();
    }
  });
  return {};
}

/// When the first workers run: their start does not wait for it. With PID 1 all others end anyway.
void Pump::post_guardian() {
  if (!options_.guarded || ::getpid() == 1) {
    return;
  }
  if (auto guardian = process::Guardian::post(options_.processes.identity, options_.lock)) {
    guardian_.emplace(std::move(*guardian));
    processes_->spare(guardian_->pid());
  }
}

/// Nobody will look after the workers any more, so there shall be none.
void Pump::leave_nobody() noexcept {
  std::vector<char>().swap(reserve_);
  processes_->leave_nobody();
  terminal_.take_back();
}

int Pump::supervise_or_leave_nobody(Prepared prepared) {
  try {
    return supervise(std::move(prepared));
  } catch (const boost::system::system_error& error) {
    leave_nobody();
    throw std::system_error(error.code().value(), std::generic_category());
  } catch (...) {
    leave_nobody();
    throw;
  }
}

int Pump::run(Prepared prepared) {
  if (options_.own_descriptors) {
    return supervise_or_leave_nobody(std::move(prepared));
  }
  reserve_descriptors(prepared);
  ::mallopt(M_ARENA_MAX, 1);  // The other threads hardly ever allocate. NOLINT(concurrency-mt-unsafe): there is none yet.
  std::future<int> status;
  try {
    status = std::async(std::launch::async, [&] {
      has_aside_ = true;
      const std::shared_ptr<void> in_any_case(nullptr, [this](void*) { aside_.stop(); });
      return supervise_or_leave_nobody(std::move(prepared));
    });
  } catch (const std::system_error& error) {  // No thread to be had: restarts take longer, and nobody can ask.
    if (options_.control) {
      say(Weight::notable, "degraded",
          system_error("cannot start a thread for the control socket", error.code().value()).message +
              "; there is none, and corral status and its like do not reach this supervisor");
    }
    return supervise_or_leave_nobody(std::move(prepared));
  }
  const auto until_it_is_over = boost::asio::make_work_guard(aside_);
  if (options_.control) {
    open_api();
  }
  aside_.run();
  const int result = status.get();
  close_api();
  return result;
}

}  // namespace corral::shell
