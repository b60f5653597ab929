// What clients of the API ask for: looked up, or handed to the core as a command, and answered when the core says so.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "common/base/check.hpp"
#include "supervisor/control/metrics.hpp"
#include "supervisor/shell/process/usage.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::shell {

namespace asio = boost::asio;

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

/// What only /proc knows. Beside the loop: a thousand workers take milliseconds.
void measure(control::View& view) {
  std::vector<control::WorkerView*> living;
  std::vector<std::int32_t> pids;
  for (control::ProgramView& program : view.programs) {
    for (control::WorkerView& worker : program.workers) {
      if (worker.state.pid != 0) {
        living.push_back(&worker);
        pids.push_back(worker.state.pid);
      }
    }
  }
  const auto usages = process::usages_of(pids);
  for (std::size_t i = 0; i < living.size(); ++i) {
    if (const auto& usage = usages[i]) {
      living[i]->measure = control::Measure{usage->cpu_seconds, usage->resident_bytes};
    }
  }
}

/// Whoever has left is known as long as anything is remembered of him.
std::optional<control::Refusal> refuse_unheard_of(const control::Patterns& whom, const control::View& view,
                                                  const Chronicle& chronicle) {
  for (const std::string& pattern : whom) {
    const auto known = control::resolve({pattern}, view);
    if (!known && chronicle.find({{pattern}, {}}, 1).empty()) {
      return known.error();
    }
  }
  return std::nullopt;
}

}  // namespace

control::View Pump::view() const {
  control::View view;
  view.now = now();
  view.supervisor = {static_cast<std::int32_t>(::getpid()), options_.control->config, socket_path_, processes_->containment(),
                     started_at_};
  core::Snapshot snapshot = core_.snapshot();
  view.phase = snapshot.phase;
  for (const core::ProgramSnapshot& program : snapshot.programs) {
    control::ProgramView& shown = view.programs.emplace_back(program.id, program.name, program.failed);
    if (const auto& counts = programs_[number(program.id)].counts) {
      shown.tasks = counts->read();
    }
    const std::vector<core::CpuSet>& placements = programs_[number(program.id)].placements;
    for (const core::WorkerSnapshot& worker : program.workers) {
      std::string cores = worker.index < placements.size() ? placements[worker.index].to_string() : std::string();
      shown.workers.push_back({program.name + "/" + std::to_string(worker.index), worker, std::move(cores), std::nullopt});
    }
  }
  return view;
}

control::Counted Pump::counted() const {
  control::Counted counted{tally_.counts(), {}};
  for (std::size_t number = 0; number < programs_.size(); ++number) {
    if (programs_[number].log.to == core::LogTo::file) {
      const ProgramId id{static_cast<std::uint32_t>(number)};
      const logs::Counts counts = log_counts(id);
      counted.logs[id] = {counts.written_bytes, counts.dropped_bytes, counts.dropped_lines, counts.rotations};
    }
  }
  return counted;
}

/// Renders what there is to see, beside the loop.
void Pump::show(api::Answer answer, std::function<control::Reply(const control::View&)> render, bool with_measures) {
  asio::post(aside_, [view = view(), answer = std::move(answer), render = std::move(render), with_measures]() mutable {
    if (with_measures) {
      measure(view);
    }
    answer(render(view));
  });
}

/// For the desk of the first thread: taken here, measured and written there.
void Pump::look_for_desk() {
  asio::post(loop_, [this] {
    asio::post(aside_, [this, generation = generation_.load(), view = view()]() mutable {
      measure(view);
      desk_.show(generation, view.now, control::status(view));
    });
  });
}

void Pump::hear(api::RequestId id, const control::Request& request, api::Answer answer) {
  const auto asked = [&] { return Asked{core::CommandId{id}, request, std::move(answer)}; };
  std::visit(Overloaded{
                 [](const control::GetStatus&) { CORRAL_CHECK(false); },  // The desk's.
                 [&](const control::GetPrograms&) { show(std::move(answer), control::programs, false); },
                 [&](const control::GetWorkers& wish) {
                   show(
                       std::move(answer),
                       [name = wish.name](const control::View& view) {
                         return name.empty() ? control::workers(view) : control::worker(view, name);
                       },
                       true);
                 },
                 [&](const control::GetHealth&) { answer(control::health()); },
                 [&](const control::GetMetrics& wish) {
                   show(
                       std::move(answer),
                       [format = wish.format, counted = counted()](const control::View& view) {
                         return control::metrics(view, counted, format);
                       },
                       true);
                 },
                 [&](const control::GetEvents& wish) { hear(wish, answer); },
                 [&](const control::GetExplanation& wish) {
                   step_until_quiet();
                   answer(control::explanation(explain_as_json(wish.worker), wish.worker));
                 },
                 [&](const control::ReopenLogs&) { reopen_logs(expect(asked())); },
                 [&](const control::GetReadiness&) { show(std::move(answer), control::readiness, false); },
                 [&](const control::Start& wish) {
                   command(asked(), wish.targets, [](auto workers) { return core::StartWorkers{std::move(workers)}; });
                 },
                 [&](const control::Stop& wish) {
                   command(asked(), wish.targets, [](auto workers) { return core::StopWorkers{std::move(workers)}; });
                 },
                 [&](const control::Restart& wish) {
                   command(asked(), wish.targets, [&](auto workers) {
                     core::RestartWorkers made{std::move(workers), {}};
                     if (wish.rolling) {
                       made.rolling = core::Rolling{wish.parallel, wish.pause};
                     }
                     return made;
                   });
                 },
                 [&](const control::Signal& wish) {
                   command(asked(), wish.targets,
                           [&](auto workers) { return core::SignalWorkers{std::move(workers), wish.signal}; });
                 },
                 [&](const control::Scale& wish) {
                   step_until_quiet();
                   if (const auto refusal = control::refuse_unknown(wish.program, view())) {
                     return answer(control::refusal(*refusal));
                   }
                   load_for(asked(), {.kind = Load::Kind::scale, .scale = {wish.program, wish.workers}});
                 },
                 [&](const control::Reload& wish) {
                   load_for(asked(), {.kind = wish.plan ? Load::Kind::preview : Load::Kind::reload, .rollback = wish.rollback});
                 },
                 [&](const control::Shutdown&) { enqueue(core::CommandReceived{expect(asked()), core::ShutDown{}}); },
             },
             request.wish);
}

void Pump::hear(const control::GetEvents& wish, const api::Answer& answer) {
  step_until_quiet();  // What has happened is known before anybody is told.
  if (!wish.whom.empty()) {
    if (const auto refusal = refuse_unheard_of(wish.whom, view(), *chronicle_)) {
      return answer(control::refusal(*refusal));
    }
  }
  EventFilter filter{wish.whom, wish.events};
  if (!wish.follow) {
    const std::size_t most = wish.most ? std::min<std::uint64_t>(*wish.most, SIZE_MAX) : SIZE_MAX;
    return answer(control::events(chronicle_->history(filter, most, wish.after.value_or(0)), chronicle_->last()));
  }
  std::erase_if(followers_, [](const std::weak_ptr<EventStream>& gone) { return gone.expired(); });
  const auto stream =
      followers_.size() < most_followers_ ? EventStream::begin(loop_, *chronicle_, std::move(filter), wish.after) : nullptr;
  if (!stream) {
    return answer(control::too_many_followers());
  }
  followers_.push_back(stream);
  answer(api::Stream{"text/event-stream", stream});
}

void Pump::finish_followers() {
  for (const std::weak_ptr<EventStream>& follower : followers_) {
    if (const auto there = follower.lock()) {
      there->finish();
    }
  }
}

template <class Make>
void Pump::command(Asked asked, const control::Patterns& targets, Make make) {
  step_until_quiet();  // What has happened is known before anybody is looked for.
  auto workers = control::resolve(targets, view());
  if (!workers) {
    return asked.answer(control::refusal(workers.error()));
  }
  enqueue(core::CommandReceived{expect(std::move(asked)), make(std::move(*workers))});
}

/// The answer is due when the core gives it, or when the client's patience is over, whichever is first.
std::optional<core::CommandId> Pump::expect(Asked asked) {
  if (!asked.request.wait) {
    asked.answer(control::accepted());
    return std::nullopt;
  }
  Expected& expected = expected_[asked.id];
  expected.answer = std::move(asked.answer);
  if (const auto& patience = asked.request.patience) {
    expected.patience = std::make_unique<asio::steady_timer>(loop_, *patience);
    expected.patience->async_wait([this, id = asked.id, patience = *patience](boost::system::error_code ec) {
      if (!ec && expected_.contains(id)) {
        answer(id, control::too_slow(patience));
        forget(id);
        turn();
      }
    });
  }
  return asked.id;
}

/// The client has left. One that has only closed its side of the connection may still read.
void Pump::abandon(core::CommandId id) {
  if (expected_.contains(id)) {
    answer(id, control::accepted());
    forget(id);
  }
}

/// Nobody waits for it any more; it goes on.
void Pump::forget(core::CommandId id) {
  for (Load& load : loads_) {
    if (load.asked_by == id) {
      load.asked_by.reset();
    }
  }
  enqueue(core::CommandAbandoned{id});
}

void Pump::answer(std::optional<core::CommandId> id, control::Reply reply) {
  auto expected = id ? expected_.extract(*id) : decltype(expected_)::node_type{};
  if (!expected.empty()) {
    expected.mapped().answer(std::move(reply));
  }
}

void Pump::perform(const core::AnswerCommand& action) {
  std::string culprit;
  if (const auto& worker = action.outcome.culprit) {
    culprit = fmt::format("{}/{}", programs_[number(worker->program)].name, worker->index);
  }
  answer(action.id, control::outcome(action.outcome, culprit));
}

}  // namespace corral::shell
