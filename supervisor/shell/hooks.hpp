// The command of `on_event`: launched for one event after another, with the event as JSON on its stdin.
//
// When it is launched, killed and given up is decided by core::HookQueue; here it is done, by the one place that launches,
// signals and reaps. It lives under a program number that no program has. Nothing here waits: the event lies in a memory file,
// which the command reads whenever it likes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/file_descriptor.hpp"
#include "supervisor/core/hook_queue.hpp"
#include "supervisor/core/spec.hpp"
#include "supervisor/shell/events/chronicle.hpp"
#include "supervisor/shell/hook_words.hpp"
#include "supervisor/shell/process/processes.hpp"

namespace corral::shell {

class Hooks {
 public:
  using Say = std::function<void(Weight, std::string_view event, std::string text)>;

  /// Without `words` the command's stderr is the supervisor's own.
  Hooks(process::Processes& processes, const Narrator& narrator, Say say, std::unique_ptr<HookWords> words,
        core::HookLimits limits = {});

  /// From now on this one. The template of a launch that is under way is the caller's to keep.
  void adopt(const std::optional<core::EventHook>& hook, std::shared_ptr<const process::LaunchTemplate> launch);
  [[nodiscard]] const std::shared_ptr<const process::LaunchTemplate>& launch() const { return launch_; }

  [[nodiscard]] static bool owns(Life life) { return life.worker == slot; }

  /// Something has happened. Only notes it.
  void hear(const SharedEvent& event);
  /// Once a turn: launches and kills what is due. True where a look for what is left of the last one is due.
  [[nodiscard]] bool proceed(Instant now);
  void launch_failed(const core::LaunchFailure& failure);
  void died(const process::Death& death, Instant now);
  void swept();

  /// See HookQueue.
  void finish(Instant now) { queue_.finish(now); }
  void hurry(Instant now) { queue_.hurry(now); }
  [[nodiscard]] bool is_done(Instant now) const { return queue_.is_done(now); }
  [[nodiscard]] Instant next_deadline() const { return std::min(queue_.next_deadline(), look_again_); }

 private:
  static constexpr WorkerId slot{ProgramId{UINT32_MAX}, 0};
  static constexpr Duration between_looks = std::chrono::milliseconds(100);

  void start(Instant now);
  void fail(std::string why);
  void drop_rest();
  void report_drops();

  process::Processes& processes_;
  const Narrator& narrator_;
  Say say_;
  std::unique_ptr<HookWords> words_;
  core::HookQueue queue_;
  std::optional<core::EventHook> hook_;
  std::shared_ptr<const process::LaunchTemplate> launch_;
  std::deque<SharedEvent> waiting_;
  FileDescriptor null_;
  Incarnation incarnation_{};
  Duration allowed_{};  ///< For the one that runs, whatever a reload says meanwhile.
  Instant out_of_time_ = never;
  bool took_too_long_ = false;
  Instant look_again_ = never;  ///< For what it has left behind.
  std::string failure_;         ///< The last one that was said; empty: it works.
  std::uint64_t failures_ = 0;  ///< Since then.
  std::uint64_t drops_said_ = 0;
  bool is_dropping_ = false;
};

}  // namespace corral::shell
