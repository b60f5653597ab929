#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/configuration.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/reloader.hpp"
#include "supervisor/cli/supervise.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::cli {

using namespace std::chrono_literals;

namespace {

/// How long processes that a killed predecessor left are waited for.
constexpr Duration leftover_patience = 10s;

/// The lock keeps two apart that have the same runtime folder; this those that have not.
Result<void> be_the_only_one(process::InstanceLock& lock, const std::string& path) {
  const pid_t other = lock.living_elsewhere();
  if (other == 0) {
    return {};
  }
  if (!lock.unclean()) {
    lock.release();
  }
  return failure(
      fmt::format("already running as pid {} for '{}', with a lock that is not in '{}' (another XDG_RUNTIME_DIR or mount "
                  "namespace, or somebody has removed it); stop that one first, with: kill {}",
                  other, path, process::runtime_directory(), other));
}

/// Nothing of a predecessor that was killed may be alive when the first worker starts.
Result<void> clear_leftovers(const process::InstanceLock& lock) {
  if (!lock.unclean()) {
    return {};
  }
  const process::Cleared left = lock.clear_leftovers(leftover_patience);
  if (!left.gone) {
    return failure(
        fmt::format("processes of an earlier corral for this configuration do not end on SIGKILL; nothing is started "
                    "beside them. Find them with: grep -lz CORRAL_SUPERVISOR= /proc/[0-9]*/environ"));
  }
  if (left.killed > 0) {
    tell(fmt::format("corral: an earlier corral was killed and left {} process{} behind; killed\n", left.killed,
                     left.killed == 1 ? "" : "es"));
  }
  return {};
}

std::string absolute(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? real.get() : path;
}

std::optional<shell::ControlOptions> control_of(const std::string& path, const std::string& identity,
                                                const core::ControlSpec& control, process::InstanceLock& lock) {
  const std::string config = absolute(path);
  lock.note({}, config);
  if (!control.enabled) {
    return std::nullopt;
  }
  return shell::ControlOptions{config,
                               identity,
                               control.socket,
                               control.listen,
                               control.token_file,
                               lock.notice(),
                               [&lock, config](const std::string& socket) { lock.note(socket, config); }};
}

}  // namespace

int run(const RunOptions& options) {
  auto setup = process::ProcessSetup::begin();
  if (!setup) {
    return cannot_open(setup.error(), core::Containment::automatic);
  }
  const Result<std::string> path = find_configuration(options.config);
  if (!path) {
    return complain(path.error());
  }
  auto configuration = load_configuration(*path);
  if (!configuration) {
    tell(config::render(configuration.error(), wants_colour(options.talk.colour, STDERR_FILENO)));
    return 2;
  }
  const Result<std::string> identity = process::identity_of(*path);
  if (!identity) {
    return complain(identity.error());
  }
  auto lock = process::InstanceLock::acquire(*identity, *path);
  if (!lock) {
    return complain(lock.error());
  }
  if (const Result<void> alone = be_the_only_one(*lock, *path); !alone) {
    return complain(alone.error());
  }
  if (const Result<void> cleared = clear_leftovers(*lock); !cleared) {
    return complain(cleared.error());
  }

  shell::Prepared& prepared = configuration->preparation.prepared;
  shell::PumpOptions pump_options;
  pump_options.core.seed = fresh_seed();
  pump_options.core.reloadable = true;
  pump_options.voice = voice_options(options.talk);
  pump_options.processes.identity = *identity;
  pump_options.processes.containment = configuration->spec.containment;
  pump_options.lock = lock->file();
  pump_options.guarded = lock->file() >= 0;  // Without a lock a successor's workers could be taken for its own.
  pump_options.loader = std::make_shared<Reloader>(*path, configuration->spec, prepared.plan, configuration->fingerprint);
  pump_options.control = control_of(*path, *identity, configuration->spec.control, *lock);
  auto pump = shell::Pump::open(*setup, std::move(pump_options));
  if (!pump) {
    return cannot_open(pump.error(), configuration->spec.containment);
  }
  for (const std::string& notice : setup->notices()) {
    (*pump)->say(shell::Weight::notable, "degraded", notice);
  }
  if (!lock->notice().empty() && !configuration->spec.control.enabled) {
    (*pump)->say(shell::Weight::notable, "degraded", lock->notice());
  }
  const int status = supervise(**pump, std::move(prepared), 1);
  pump->reset();
  lock->release();
  return status;
}

int exec(ExecOptions options) {
  auto setup = process::ProcessSetup::begin();
  if (!setup) {
    return cannot_open(setup.error(), core::Containment::automatic);
  }
  const core::WorkerCount& workers = options.program.launch.workers;
  const auto* count = std::get_if<std::uint32_t>(&workers);
  const bool one = count != nullptr && *count == 1;
  core::SupervisorSpec spec;
  spec.containment = options.containment;
  spec.programs.push_back(options.program);
  auto preparation = shell::prepare(spec);
  if (!preparation) {
    int status = 2;
    for (const shell::Complaint& complaint : preparation.error()) {
      const std::string more = complaint.suggestion.empty() ? "" : " (" + complaint.suggestion + ")";
      status = complain(complaint.message + more);
      if (one && complaint.key == "command/0") {
        return complaint.message.find("No such file") != std::string::npos || complaint.message.starts_with("there is no") ? 127
                                                                                                                           : 126;
      }
    }
    return status;
  }
  shell::PumpOptions pump_options;
  pump_options.core.seed = fresh_seed();
  pump_options.voice = voice_options(options.talk);
  pump_options.processes.identity = process::fresh_identity();
  pump_options.processes.containment = spec.containment;
  pump_options.own_descriptors = one;
  pump_options.guarded = !one;
  if (one) {
    pump_options.core.transparent = core::Transparent{std::move(options.map_signals), options.grace_given};
    pump_options.processes.plain = true;
    // It is the command's terminal and log: only what the command cannot say itself is said.
    pump_options.voice.least = shell::Weight::notable;
    pump_options.voice.endings = options.program.restart.when != core::RestartWhen::never;
  }
  auto pump = shell::Pump::open(*setup, std::move(pump_options));
  if (!pump) {
    return cannot_open(pump.error(), spec.containment);
  }
  if (one && options.talk.format == shell::LogFormat::json && !options.talk.quiet) {
    (*pump)->say(shell::Weight::notable, "note",
                 "--log-format json is for what corral itself says: one worker writes to stdout and stderr directly");
  }
  return supervise(**pump, std::move(preparation->prepared), one ? not_started : 1);
}

}  // namespace corral::cli
