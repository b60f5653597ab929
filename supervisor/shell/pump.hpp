// The loop: what happens becomes an event, the core decides, what it decides is done. Nothing else decides here.
//
// One thread, one io_context. It is not the first thread of the process, which waits, and closes pipes while everything stops:
// what loses its parent becomes a child of the first thread, workers are children of the thread that launches them. So the list
// of the first thread's children holds the orphans alone, and a look at them costs the same with ten thousand workers as with
// one. A turn takes what is there (signals first, then deaths, then output), steps the core until no event is left, and goes to
// sleep until the next descriptor or deadline. Performing an action never calls the core: what comes of it is put into the queue.
// Nothing here blocks for longer than a millisecond; reading the configuration again has a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "supervisor/control/metrics.hpp"
#include "supervisor/control/reply.hpp"
#include "supervisor/control/request.hpp"
#include "supervisor/control/tally.hpp"
#include "supervisor/core/supervisor.hpp"
#include "supervisor/shell/api/control_socket.hpp"
#include "supervisor/shell/api/server.hpp"
#include "supervisor/shell/event_stream.hpp"
#include "supervisor/shell/events/chronicle.hpp"
#include "supervisor/shell/events/crash_folder.hpp"
#include "supervisor/shell/events/explanation.hpp"
#include "supervisor/shell/hooks.hpp"
#include "supervisor/shell/io/last_words.hpp"
#include "supervisor/shell/io/relay.hpp"
#include "supervisor/shell/io/signal_source.hpp"
#include "supervisor/shell/io/terminal.hpp"
#include "supervisor/shell/logs/log_files.hpp"
#include "supervisor/shell/prepared.hpp"
#include "supervisor/shell/process/guardian.hpp"
#include "supervisor/shell/process/processes.hpp"
#include "supervisor/shell/pump_options.hpp"
#include "supervisor/shell/status_desk.hpp"
#include "supervisor/shell/tasks/feed.hpp"
#include "supervisor/shell/voice.hpp"

namespace corral::shell {

class Pump {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Pump>> open(const process::ProcessSetup& setup, PumpOptions options);
  ~Pump();

  void say(Weight weight, std::string_view event, std::string text) { voice_->say(weight, event, std::move(text)); }

  /// Until the core says that it is over: the exit status. Throws std::bad_alloc or std::system_error where it cannot go on, and
  /// then has left nobody behind.
  [[nodiscard]] int run(Prepared prepared);
  /// What has become of a program's log lines.
  [[nodiscard]] logs::Counts log_counts(ProgramId program) const;

  /// For whoever asks, in the loop's thread: what has happened, and why a worker ("crunch/1") is what it is; nothing where there
  /// is none of that name.
  [[nodiscard]] Chronicle& chronicle() { return *chronicle_; }
  [[nodiscard]] const Crashes& crashes() const { return crashes_; }
  [[nodiscard]] std::optional<core::Explanation> explain(std::string_view worker) const;
  /// The same for a program, as JSON: see explanation.hpp.
  [[nodiscard]] std::optional<std::string> explain_as_json(std::string_view worker) const;

  /// Whether any worker has been seen to run.
  [[nodiscard]] bool anything_ran() const { return core_.anything_ran(); }

 private:
  /// Launches are looked at again after this, and then twice as late each time.
  static constexpr Duration first_look = std::chrono::milliseconds(4);

  struct Program {
    std::string name;
    PreparedProgram prepared;
    std::vector<core::CpuSet> placements;  ///< By slot.
    std::uint32_t reliefs = 0;             ///< As the plan has it.
    core::LogSpec log;
    std::optional<SharedCounts> counts{};  ///< Of its present or last life, where that is a map.
    bool has_tasks = false;
  };

  explicit Pump(PumpOptions options);
  [[nodiscard]] Result<void> open_all(const process::ProcessSetup& setup);

  [[nodiscard]] int supervise(Prepared prepared);
  [[nodiscard]] int supervise_or_leave_nobody(Prepared prepared);
  void leave_nobody() noexcept;
  static void reserve_descriptors(const Prepared& prepared);

  // pump.cpp: the loop
  void watch_signals();
  void watch_output();
  void watch_tasks();
  void arm_timer();
  void turn();
  void read_signals();
  [[nodiscard]] bool may_not_wait() const;
  void reap_all();
  void take_in(process::Deaths deaths);
  void settle();
  bool report_launches();
  void enqueue(core::Event event) { events_.push_back(std::move(event)); }
  void step_until_quiet();
  void post_guardian();
  void release_start_up_pages() const;
  [[nodiscard]] static Instant now();

  // actions.cpp: what the core asks for
  void perform(const core::Action& action);
  void perform(const core::SpawnWorker& action);
  void perform(const core::SignalWorker& action);
  void perform(const core::DrainOutput& action);
  void perform(const core::AbandonOutput& action);
  void perform(const core::ReleaseOutput& action);
  void perform(const core::SweepWorker& action);
  void perform(const core::SweepAll& action);
  void perform(const core::LoadConfiguration& action);
  void perform(const core::RestoreConfiguration& action);
  void perform(const core::ReopenLogs& action);
  void perform(const core::DrainTasks& action);
  void perform(const core::AbortTasks& action);
  void perform(const core::CloseSlot& action);
  void perform(const core::ForgetProgram& action);
  void perform(const core::Announce& action);
  void perform(const core::ExitSupervisor& action);
  void perform(const core::AnswerCommand& action);
  void adopt(const Prepared& prepared);
  void retire(Program& program);

  // loading.cpp
  struct Load {
    enum class Kind : std::uint8_t { reload, preview, scale, restore };
    Kind kind = Kind::reload;
    std::optional<core::CommandId> asked_by{};  ///< By a client; otherwise by a signal, or by the core.
    ScaleWish scale{};
    std::optional<bool> rollback{};  ///< Nothing: as the configuration says.
    core::TrialId trial{};           ///< With `restore`.
  };
  using Loaded = Result<std::variant<Prepared, std::vector<core::WorkerChange>>>;
  void begin_loading();
  [[nodiscard]] static Loaded load_with(Loader& loader, const Load& load);
  void loaded(Loaded result);
  void show_plan(const Load& load, std::vector<core::WorkerChange> changes);
  void take_over(Prepared prepared, const Load& load);
  [[nodiscard]] core::ConfigReloaded::Kind kind_of(const Load& load, const Prepared& prepared);
  void not_loaded(const Load& load, const Error& error);

  // control_open.cpp, control.cpp: the API
  void open_api();
  void open_socket();
  void open_loopback();
  void degraded(std::string why);
  void client_refused(std::string what);
  void close_api();
  [[nodiscard]] control::View view() const;
  [[nodiscard]] control::Counted counted() const;
  void look_for_desk();
  void show(api::Answer answer, std::function<control::Reply(const control::View&)> render, bool with_measures);
  void hear(api::RequestId id, const control::Request& request, api::Answer answer);
  void abandon(core::CommandId id);
  void forget(core::CommandId id);
  struct Asked {
    core::CommandId id;
    const control::Request& request;
    api::Answer answer;
  };
  void load_for(Asked asked, Load wanted);
  template <class Make>
  void command(Asked asked, const control::Patterns& targets, Make make);
  [[nodiscard]] std::optional<core::CommandId> expect(Asked asked);
  void answer(std::optional<core::CommandId> id, control::Reply reply);
  void hear(const control::GetEvents& wish, const api::Answer& answer);
  void finish_followers();

  void sweep();
  [[nodiscard]] Result<process::LaunchRequest> arrange_launch(Life life);
  void launch_failed(Life life);
  void close(FileDescriptor fd);
  void close_aside();
  [[nodiscard]] process::LaunchRequest request_for(Life life) const;

  // pump_events.cpp: what becomes of events
  void adopt_events(const Prepared& prepared);
  void witness(const SharedEvent& event);
  [[nodiscard]] std::optional<WorkerId> find_worker(std::string_view name) const;
  void record_crash(const Event& event);
  void note_task(Life life);
  [[nodiscard]] bool waits_for_hooks();
  void hurry_hooks(int signal);
  void proceed_with_hooks();
  void conclude();
  [[nodiscard]] Instant hooks_deadline() const;
  void finish_crashes();

  // feeding.cpp: workers that are given tasks
  [[nodiscard]] Result<void> open_feed(std::uint32_t workers);
  void continue_feeding();
  void note_lost_time();
  void deliver_results();

  // logging.cpp: what workers write
  void hear(const WorkerOutput& output);
  void define_log(ProgramId program);
  void take_log_news();
  void finish_logs();
  void reopen_logs(std::optional<core::CommandId> asked_by);
  void tell_reopened(std::string_view trouble);
  [[nodiscard]] Result<int> nowhere();
  // job.cpp: the terminal and the shell above
  void follow_job(const process::JobChange& change);
  void follow_stop(Life life, int signal);
  [[nodiscard]] bool is_for_command(const ReceivedSignal& signal);

  PumpOptions options_;
  boost::asio::io_context aside_{1};  ///< The first thread's: what can be done beside the loop. It outlives whoever asks there.
  boost::asio::io_context loop_{1};
  bool has_aside_ = false;
  std::vector<FileDescriptor> closing_;  ///< To be handed to it, at the end of the turn at the latest.
  boost::asio::posix::stream_descriptor signals_ready_{loop_};
  boost::asio::posix::stream_descriptor output_ready_{loop_};
  boost::asio::posix::stream_descriptor tasks_ready_{loop_};
  boost::asio::steady_timer timer_{loop_};
  Instant armed_for_ = never;
  std::optional<SignalSource> signals_;
  std::optional<Relay> relay_;
  std::optional<process::Processes> processes_;
  std::unique_ptr<Chronicle> chronicle_;
  std::optional<process::Guardian> guardian_;
  std::unique_ptr<Voice> voice_;
  std::unique_ptr<logs::LogFiles> logs_;  ///< Where any program has them.
  FileDescriptor nowhere_;                ///< /dev/null, for those whose output is wanted nowhere.
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Hooks> hooks_;
  std::optional<core::CrashFiles> crash_files_;
  std::unique_ptr<CrashFolder> crash_folder_;
  Crashes crashes_;
  std::map<WorkerId, std::pair<Incarnation, std::uint64_t>> last_tasks_;  ///< What a worker was at when it ended.
  LastWords last_words_{{.lines = 50, .bytes = 8192}};
  Terminal terminal_;
  core::Supervisor core_;
  core::ProgramNumbers numbers_;
  std::vector<Program> programs_;                                        ///< By number.
  std::vector<std::shared_ptr<const process::LaunchTemplate>> retired_;  ///< Until no launch is under way.
  std::deque<core::Event> events_;
  core::ActionList actions_;
  std::jthread loading_;
  std::deque<Load> loads_;  ///< The first is under way while is_loading_.
  bool is_loading_ = false;
  bool child_signalled_ = false;  ///< Deaths may be waiting that no hint told of.
  Instant look_again_{};          ///< Not earlier than this, unless somebody is swept.
  bool caught_up_ = false;
  bool released_ = false;
  bool sweep_due_ = false;
  bool sweeping_all_ = false;
  bool output_paused_ = false;
  bool tasks_paused_ = false;
  Instant turned_at_ = never;  ///< With a feed: when the loop last went to sleep, and until when.
  Instant sleeps_until_ = never;
  int drained_by_ = 0;  ///< The signal that asked for the end of the tasks.
  std::uint32_t spawned_since_look_ = 0;
  Instant scores_at_ = never;       ///< See Processes::set_some_scores.
  Duration settle_wait_{};          ///< Between two looks at launches that take long.
  std::optional<Life> stopped_;     ///< With a terminal: the worker, while it is stopped.
  std::vector<char> reserve_;       ///< For leave_nobody(), which has to find processes when there is no memory.
  bool sweep_held_ = false;         ///< The core wants everything swept; the hook has a little time left.
  Instant hooks_asked_at_ = never;  ///< When it was given that time.
  Instant strays_until_ = never;
  std::optional<int> exit_with_;  ///< The core has said so.
  std::optional<int> status_;
  /// A client that waits.
  struct Expected {
    api::Answer answer;
    std::unique_ptr<boost::asio::steady_timer> patience;  ///< Null: without end.
  };
  std::map<core::CommandId, Expected> expected_;  ///< By the core.
  std::vector<core::CommandId> reopening_;        ///< Who waits for the log files.
  std::vector<std::weak_ptr<EventStream>> followers_;
  std::size_t most_followers_ = 0;  ///< They keep their places, so others have as many.
  control::Tally tally_;            ///< Counts where it can be asked.
  Instant started_at_{};
  std::string socket_path_;
  std::optional<api::ControlSocket> control_socket_;  ///< The first thread's, as are the next.
  std::optional<api::Server> server_;
  api::RequestId last_request_ = 0;
  StatusDesk desk_{[this] { look_for_desk(); }};  ///< The first thread's too.
  std::atomic<std::uint64_t> generation_ = 0;     ///< Of what there is to see: another one with each step of the core.
};

}  // namespace corral::shell
