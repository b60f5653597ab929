// What a pump is opened with.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "supervisor/core/spec.hpp"
#include "supervisor/core/supervisor.hpp"
#include "supervisor/shell/prepared.hpp"
#include "supervisor/shell/process/processes.hpp"
#include "supervisor/shell/tasks/feed.hpp"
#include "supervisor/shell/voice.hpp"

namespace corral::shell {

struct ControlOptions {
  std::string config;                           ///< An absolute path.
  std::string identity;                         ///< Of this supervisor, CORRAL_SUPERVISOR.
  std::string socket;                           ///< Its path; empty: the default place.
  std::optional<core::LoopbackAddress> listen;  ///< A TCP port too.
  std::string token_file;                       ///< With it: what its clients have to show.
  std::string trouble;                          ///< What kept it from its lock; empty: nothing. Said in one line with its own.
  std::function<void(const std::string&)> listening;  ///< Told the path, on the first thread, before any worker's end.
};

struct PumpOptions {
  core::Options core;
  VoiceOptions voice;
  process::ProcessOptions processes;
  bool own_descriptors = false;           ///< One worker, with the supervisor's own stdin, stdout and stderr: `exec`.
  bool own_output = false;                ///< What workers write goes to the supervisor's own stdout and stderr, untouched.
  int lock = -1;                          ///< See InstanceLock::file().
  bool guarded = false;                   ///< If corral itself is killed, somebody kills what its workers have started.
  std::shared_ptr<Loader> loader;         ///< Null where there is no configuration to read again.
  std::optional<ControlOptions> control;  ///< Where it can be asked and told; nowhere otherwise.
  std::optional<FeedOptions> feed;        ///< What the workers of the first program are fed with: `map`.
};

}  // namespace corral::shell
