// What becomes of events: the hook, the records of crashes, and what clients ask for.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "supervisor/shell/pump.hpp"

namespace corral::shell {
namespace {

/// The last words of all workers together, and of one. (Twice as much while they are heard.)
constexpr std::size_t words_of_all = std::size_t{16} << 20U;
constexpr std::size_t most_words = 8192;
constexpr std::size_t least_words = 1024;

/// For the last crash records to reach the disk.
constexpr Duration patience_for_disk = std::chrono::seconds(1);
/// Until what outlived the last hook is gone after SIGKILL.
constexpr Duration patience_for_strays = std::chrono::seconds(1);
/// The same signal again within that time is an echo of the first and no second wish.
constexpr Duration echo = std::chrono::milliseconds(50);

}  // namespace

void Pump::adopt_events(const Prepared& prepared) {
  std::size_t workers = 1;
  for (const core::PlannedProgram& planned : prepared.plan.programs) {
    workers += planned.workers();
  }
  last_words_.keep_bytes(std::clamp(words_of_all / workers, least_words, most_words));
  if (prepared.on_event && !hooks_) {
    auto words = options_.voice.format == LogFormat::json
                     ? std::make_unique<HookWords>(
                           loop_, [this](std::string_view line) { voice_->hook_line(line); }, [this] { turn(); })
                     : nullptr;
    hooks_ = std::make_unique<Hooks>(
        *processes_, chronicle_->narrator(),
        [this](Weight weight, std::string_view event, std::string text) { say(weight, event, std::move(text)); },
        std::move(words));
  }
  if (hooks_) {
    if (processes_->outstanding() > 0 && hooks_->launch()) {
      retired_.push_back(hooks_->launch());
    }
    hooks_->adopt(prepared.on_event, prepared.on_event_launch);
  }
  if (prepared.crashes == crash_files_) {
    return;
  }
  crash_files_ = prepared.crashes;
  crash_folder_.reset();
  if (crash_files_) {
    crash_folder_ = std::make_unique<CrashFolder>(crash_files_->folder, crash_files_->keep, [this](std::string trouble) {
      boost::asio::post(loop_, [this, trouble = std::move(trouble)]() mutable {
        say(Weight::trouble, "crashes_lost", std::move(trouble));
        turn();
      });
    });
  }
}

void Pump::witness(const SharedEvent& event) {
  if (hooks_) {
    hooks_->hear(event);
  }
  const bool asked_for = !options_.own_descriptors && (!feed_ || crash_folder_);  // Nobody can ask `exec` or `map` for them.
  if (const core::Notice* notice = event->notice(); notice != nullptr && asked_for && is_crash(*notice)) {
    record_crash(*event);
  }
}

/// It dies: in a moment its task belongs to somebody else.
void Pump::note_task(Life life) {
  if (const std::optional<std::uint64_t> task = crash_folder_ ? feed_->task_of(life.worker) : std::nullopt) {
    last_tasks_[life.worker] = {life.incarnation, *task};
  }
}

void Pump::record_crash(const Event& event) {
  const core::Notice& notice = *event.notice();
  const Life life = *life_of(notice);
  CrashFacts facts;
  if (const Program& program = programs_[number(life.worker.program)]; life.worker.index < program.placements.size()) {
    facts.cores = program.placements[life.worker.index].to_string();
  }
  if (const auto task = last_tasks_.find(life.worker); task != last_tasks_.end() && task->second.first == life.incarnation) {
    facts.task = task->second.second;
  }
  facts.words = last_words_.member(life);
  if (const auto* ended = std::get_if<core::Ended>(&notice); ended != nullptr && ended->out_of_memory) {
    process::Processes::OomEvidence oom = processes_->oom_evidence();
    facts.oom = OomFacts{std::move(oom.source), oom.kills, oom.limit_bytes, oom.peak_bytes};
  }
  CrashRecord record = make_crash_record(event, chronicle_->narrator(), facts);
  if (crash_folder_) {
    crash_folder_->write(record);
  }
  crashes_.add(std::move(record));
}

// ---- Who asks -------------------------------------------------------------------------------------------------------

std::optional<WorkerId> Pump::find_worker(std::string_view name) const {
  const std::size_t slash = name.rfind('/');
  std::uint32_t index = 0;
  const char* end = name.data() + name.size();
  if (slash == std::string_view::npos || slash + 1 == name.size() ||
      std::from_chars(name.data() + slash + 1, end, index).ptr != end) {
    return std::nullopt;
  }
  const auto program = std::ranges::find(programs_, name.substr(0, slash), &Program::name);
  if (program == programs_.end() || index >= program->placements.size()) {
    return std::nullopt;
  }
  return WorkerId{ProgramId{static_cast<std::uint32_t>(program - programs_.begin())}, index};
}

std::optional<core::Explanation> Pump::explain(std::string_view worker) const {
  const std::optional<WorkerId> id = find_worker(worker);
  const std::optional<core::WorkerView> view = id ? core_.view(*id, now()) : std::nullopt;
  if (!view) {
    return std::nullopt;
  }
  const std::vector<SharedEvent> events = chronicle_->find({});
  std::vector<core::PastNotice> past;
  for (const SharedEvent& event : events) {
    if (event->notice() != nullptr) {
      past.push_back({event->stamp.at, event->notice()});
    }
  }
  return core::explain(worker, *view, past);
}

std::optional<std::string> Pump::explain_as_json(std::string_view worker) const {
  const std::optional<core::Explanation> explanation = explain(worker);
  if (!explanation) {
    return std::nullopt;
  }
  static constexpr std::size_t most_events = 10;
  return to_json(*explanation, chronicle_->history({{std::string(worker)}, {}}, most_events),
                 crashes_.last_of(*find_worker(worker)),
                 options_.loader ? std::optional(options_.loader->fingerprint()) : std::nullopt);
}

// ---- The end --------------------------------------------------------------------------------------------------------

/// Everything that is asked for has ended: the hook has a short time for what it has not been told yet.
bool Pump::waits_for_hooks() {
  if (!hooks_) {
    return false;
  }
  if (hooks_asked_at_ == never) {
    hooks_asked_at_ = now();
    hooks_->finish(now());
  }
  return !hooks_->is_done(now());
}

/// Somebody who waits for the end does not want to wait for it.
void Pump::hurry_hooks(int signal) {
  const bool asks = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
  if (asks && hooks_ && hooks_asked_at_ != never && now() >= after(hooks_asked_at_, echo)) {
    hooks_->hurry(now());
  }
}

void Pump::proceed_with_hooks() {
  if (!hooks_) {
    return;
  }
  if (hooks_->proceed(now())) {
    sweep_due_ = true;
    step_until_quiet();
    static_cast<void>(hooks_->proceed(now()));
  }
  if (sweep_held_ && !waits_for_hooks()) {
    sweep_held_ = false;
    perform(core::SweepAll{});
    step_until_quiet();
  }
  conclude();
}

/// The core has nothing more to say, and nobody is left whom it knows of; now the hook's last life and what it has left.
void Pump::conclude() {
  if (!exit_with_ || status_ || waits_for_hooks()) {
    return;
  }
  strays_until_ = strays_until_ == never ? after(now(), patience_for_strays) : strays_until_;
  if (hooks_ && !processes_->alone() && now() < strays_until_) {
    processes_->sweep_all();
    return;
  }
  status_ = exit_with_;
}

Instant Pump::hooks_deadline() const {
  if (!hooks_) {
    return never;
  }
  static constexpr Duration look = std::chrono::milliseconds(20);
  return exit_with_ ? std::min(hooks_->next_deadline(), after(now(), look)) : hooks_->next_deadline();
}

void Pump::finish_crashes() {
  if (crash_folder_) {
    crash_folder_->finish(patience_for_disk);
    loop_.poll();  // It may have something to say.
  }
}

}  // namespace corral::shell
