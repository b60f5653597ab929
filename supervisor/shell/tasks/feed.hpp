// Input, dispatcher, workers' channels and results, put together: what one set of workers is fed with.
//
// The dispatcher decides; this moves the bytes, and hands on to the supervisor what it has to know of a worker's life. Its
// users call it from the loop alone. What this must not do: launch, signal or wait for a process.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "supervisor/core/event.hpp"
#include "supervisor/core/tasks/dispatcher.hpp"
#include "supervisor/shell/tasks/channels.hpp"
#include "supervisor/shell/tasks/client.hpp"
#include "supervisor/shell/tasks/ledger.hpp"
#include "supervisor/shell/tasks/payload_store.hpp"
#include "supervisor/shell/tasks/progress.hpp"
#include "supervisor/shell/tasks/reports.hpp"
#include "supervisor/shell/tasks/results.hpp"
#include "supervisor/shell/tasks/shared_counts.hpp"
#include "supervisor/shell/tasks/starvation.hpp"
#include "supervisor/shell/tasks/task_source.hpp"

namespace corral::shell {

struct FeedOptions {
  core::TaskPolicy policy;
  TaskMode mode = TaskMode::frames;
  int input_fd = 0;                                  ///< The caller's, open as long as the feed lives.
  std::optional<int> client_fd;                      ///< A client gives the tasks, and takes the results. Likewise the caller's.
  std::string input_name;                            ///< For messages.
  std::string output_name;                           ///< Likewise.
  std::size_t longest_task = wire::longest_payload;  ///< In bytes.
  std::size_t longest_answer = wire::longest_payload;  ///< Likewise.
  std::optional<std::uint64_t> limit;                  ///< No more tasks than that are taken from the input.
  ProgressStyle progress = ProgressStyle::none;
  ResultOptions results;
  ReportOptions reports;
  std::optional<std::uint64_t> shuffle;  ///< The input is a file, whose tasks are taken in a random order: its seed.
  std::optional<LedgerOptions> state;    ///< What has ended is recorded, and left out the next time.
  std::optional<CountsWriter> counts;    ///< For the supervisor that has started this one.
};

/// What a feed asks of whom it belongs to. Called in the loop.
struct FeedHooks {
  std::function<void(core::Event)> judge;                                      ///< For the supervisor's core.
  std::function<void(bool trouble, std::string_view event, std::string)> say;  ///< For people.
  std::function<void()> awake;                                                 ///< Call proceed(): something can go on.
  std::function<void(const ProgressFacts&)> show;                              ///< On the terminal.
  std::function<std::vector<std::int32_t>(std::int32_t)> children_of;          ///< Pids, by pid.
};

class Feed {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Feed>> open(boost::asio::io_context& loop, FeedOptions options, FeedHooks hooks,
                                                          ProgramId program, std::uint32_t workers);

  /// Readable when take_ready() has something to do.
  [[nodiscard]] int descriptor() const { return channels_->descriptor(); }
  void take_ready(Instant now);
  /// Takes from the input what there is room for.
  void proceed(Instant now);
  /// Results are not read fast enough: take_ready() is not to be called before awake().
  [[nodiscard]] bool congested() const { return results_->congested() || reports_->congested(); }
  /// The loop stood still for that long.
  void lose_time(Instant now, Duration lost) { step(now, core::TimeLost{lost}); }

  // The life of a worker.
  /// Fails where the task that it was called for has been left meanwhile: then no process may begin.
  [[nodiscard]] Result<WorkerEnds> connect(Life life);
  void launched(Instant now, Life life, std::int32_t pid);
  void launch_failed(Life life);
  /// What a process for one task is to find in its command.
  struct Work {
    std::string_view text;
    std::uint64_t number = 0;
  };
  [[nodiscard]] std::optional<Work> work_of(WorkerId worker) const;
  void slot_closed(Instant now, WorkerId worker) { step(now, core::SlotClosed{worker}); }
  void opened(Instant now, Life life);
  /// A line of its stderr.
  void heard(Life life, std::string_view line) { reports_->heard(life, line); }
  void lost(Instant now, core::WorkerLost death);
  /// The number of the task that it is at.
  [[nodiscard]] std::optional<std::uint64_t> task_of(WorkerId worker) const;

  void drain(Instant now) { step(now, core::DrainAsked{}); }
  void abort(Instant now) { step(now, core::AbortAsked{}); }
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void pass_deadline(Instant now);
  /// Once a turn.
  void flush();

  /// All workers have ended: what is told at the end goes to the files beside the results.
  void close_reports() { reports_->close(counts()); }
  /// Waits for whoever reads the results at most that long, and may be called again. True when nothing is left.
  bool wait_for_reader(Duration patience);
  /// Bytes of results that nobody has taken yet.
  [[nodiscard]] std::size_t pending() const { return results_->pending(); }
  [[nodiscard]] const core::TaskCounts& counts() const { return dispatcher_.counts(); }
  /// The exit status of `map`. `by`: the signal that asked for the end, or 0; `otherwise`: what the supervisor says.
  [[nodiscard]] int status(int by, int otherwise) const;
  /// What there is to say at the end.
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::vector<std::string> figures() const { return reports_->summary(); }
  [[nodiscard]] std::string figures_as_members() const { return reports_->summary_members(counts()); }
  /// How to go on where this has stopped; nothing where all is done. `by`: as of status().
  [[nodiscard]] std::optional<std::string> way_on(int by) const;

 private:
  static constexpr Duration longest_silence = std::chrono::seconds(5);
  Feed(FeedOptions options, FeedHooks hooks, ProgramId program, std::uint32_t workers);
  void step(Instant now, const core::TaskEvent& event);
  [[nodiscard]] bool left_over() const;
  bool take_one(Instant now);
  void end_input(Instant now);
  [[nodiscard]] std::string why_unfit(core::TaskSlot slot) const;
  [[nodiscard]] Result<void> open_ends(boost::asio::io_context& loop);
  void receive(Life life, const Message& message);
  void listen_to_client(Instant now);
  void tell_begun();
  void note_broken(Life life, const Message& message);
  void pass_progress(Life life, const Message& message);
  void look_at_output();
  void begin(Instant now);
  void show_progress(Instant now);
  void note_miscount(const core::WorkerLost& death);

  void perform(const core::DeliverTask& action);
  void perform(const core::CallWorker& action);
  void perform(const core::CallRelief& action);
  void perform(const core::RecallTask& action);
  void perform(const core::RecordTask& action);
  void perform(const core::TellRetry& action);
  void perform(const core::LeaveTask& action);
  void perform(const core::TellBegun& action);
  void perform(const core::VouchForWorker& action);
  void perform(const core::MeasureWorker& action);
  void perform(const core::ReplaceWorker& action);
  void perform(const core::DismissWorker& action);
  void perform(const core::StopWorker& action);
  void perform(const core::CloseInput& action);
  void perform(const core::HaltTasks& action);
  void perform(const core::EndTasks& action);
  void judge(Life life, core::WorkerJudged::As as) { hooks_.judge(core::WorkerJudged{life, as}); }
  /// The worker whose slot that is: some have two.
  [[nodiscard]] std::uint32_t seat(Life life) const { return life.worker.index % workers_; }
  void forget_call(core::TaskSlot slot);
  void hint_at_modes(Life life, std::string_view what, bool in_trouble);
  void hint_at_silence();

  FeedOptions options_;
  FeedHooks hooks_;
  std::uint32_t workers_;
  core::Dispatcher dispatcher_;
  core::TaskActions actions_;
  std::optional<Channels> channels_;
  std::shared_ptr<Client> client_;  ///< Both of these, where there is one.
  std::shared_ptr<Ledger> ledger_;  ///< Likewise.
  std::shared_ptr<TaskSource> input_;
  std::shared_ptr<ResultSink> results_;
  PayloadStore store_;
  std::optional<Reports> reports_;
  Starvation starvation_;
  struct Launch {
    std::int32_t pid = 0;
    Instant at{};
  };
  std::vector<Launch> launches_;                           ///< By worker: of its present life.
  std::vector<core::WorkerMeasured> measured_;             ///< To be told of when the step is over.
  std::vector<std::optional<core::TaskSlot>> called_for_;  ///< By worker: the task of its present or next life.
  std::vector<std::optional<core::TaskId>> told_begun_;    ///< By worker: what its client knows it to be at.
  Instant now_{};
  Instant begun_ = never;  ///< When the first worker came, or there was something else to tell of.
  Instant progress_due_ = never;
  Instant silent_until_ = never;  ///< Then it is said that nobody has said HELLO yet.
  std::string_view answer_;       ///< During a step: what the worker has answered.
  std::string broken_why_;        ///< During the step that it is about.
  bool ever_broken_ = false;
  bool input_told_ = false;
  bool output_gone_ = false;
  bool hinted_ = false;
  bool miscounted_ = false;
  bool client_lost_ = false;
};

}  // namespace corral::shell
