// What clients of the API ask for: looked up, or handed to the core as a command, and answered when the core says so.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "supervisor/control/metrics.hpp"
#include "supervisor/shell/process/usage.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::shell {

namespace asio = boost::asio;

namespace {

/// How long clients that follow are waited for at the end.
constexpr Duration last_events = std::chrono::seconds(1);

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

/// What only /proc knows. Beside the loop: a thousand workers take milliseconds.
void measure(control::View& view) {
  for (control::ProgramView& program : view.programs) {
    for (control::WorkerView& worker : program.workers) {
      if (const auto usage = worker.state.pid != 0 ? process::usage_of(worker.state.pid) : std::nullopt) {
        worker.measure = control::Measure{usage->cpu_seconds, usage->resident_bytes};
      }
    }
  }
}

/// Clients leave most descriptors to the workers.
api::Limits limits_of_clients() {
  api::Limits limits;
  rlimit open_files{};
  constexpr rlim_t share = 4;
  if (::getrlimit(RLIMIT_NOFILE, &open_files) == 0) {
    limits.connections = std::min<rlim_t>(limits.connections, open_files.rlim_cur / share);
  }
  return limits;
}

}  // namespace

/// On the first thread, beside the loop.
void Pump::open_api() {
  Result<api::ControlSocket> socket = options_.control->socket.empty()
                                          ? api::ControlSocket::open_default(options_.control->config, options_.control->identity)
                                          : api::ControlSocket::open(options_.control->socket);
  if (!socket) {
    asio::post(loop_, [this, why = std::move(socket.error().message)] {
      say(Weight::notable, "degraded", why + "; corral status and its like do not reach this supervisor");
      voice_->flush();
    });
    return;
  }
  control_socket_ = std::move(*socket);
  if (options_.control->listening) {
    options_.control->listening(control_socket_->path());
  }
  asio::post(loop_, [this, path = control_socket_->path()] { socket_path_ = path; });
  const auto hear_it = [this](control::Request request, api::Answer answer) {
    asio::post(loop_, [this, request = std::move(request), answer = std::move(answer)]() mutable {
      hear(request, std::move(answer));
      turn();
    });
  };
  const auto tell_of_stranger = [this](uid_t user) {
    asio::post(loop_, [this, user] {
      say(Weight::notable, "client_refused",
          fmt::format("user {} was refused at the control socket; only user {} and root may command this supervisor", user,
                      ::geteuid()));
      voice_->flush();
    });
  };
  server_.emplace(aside_, control_socket_->take_listener(), hear_it, tell_of_stranger, limits_of_clients());
}

void Pump::close_api() {
  // Who follows hears the last of it, if he listens.
  const auto until = std::chrono::steady_clock::now() + last_events;
  aside_.restart();
  while (server_ && server_->followers() > 0 && aside_.run_one_until(until) > 0) {
  }
  server_.reset();
  aside_.poll();  // Connections end while both loops are there.
  if (control_socket_) {
    control_socket_->remove();
  }
}

control::View Pump::view() const {
  control::View view;
  view.now = now();
  view.supervisor = {static_cast<std::int32_t>(::getpid()), options_.control->config, socket_path_, processes_->containment(),
                     started_at_};
  core::Snapshot snapshot = core_.snapshot();
  view.phase = snapshot.phase;
  for (core::ProgramSnapshot& program : snapshot.programs) {
    control::ProgramView& shown = view.programs.emplace_back(program.id, program.name, program.failed);
    const std::vector<core::CpuSet>& placements = programs_[number(program.id)].placements;
    for (core::WorkerSnapshot& worker : program.workers) {
      std::string cores = worker.index < placements.size() ? placements[worker.index].to_string() : std::string();
      shown.workers.push_back(
          {program.name + "/" + std::to_string(worker.index), std::move(worker), std::move(cores), std::nullopt});
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

void Pump::hear(const control::Request& request, api::Answer answer) {
  std::visit(
      Overloaded{
          [&](const control::GetStatus&) { show(std::move(answer), control::status, true); },
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
          [&](const control::ReopenLogs&) { reopen_logs(expect(request, std::move(answer))); },
          [&](const control::GetReadiness&) { show(std::move(answer), control::readiness, false); },
          [&](const control::Start& wish) {
            command(request, std::move(answer), wish.targets, [](auto workers) { return core::StartWorkers{workers}; });
          },
          [&](const control::Stop& wish) {
            command(request, std::move(answer), wish.targets, [](auto workers) { return core::StopWorkers{workers}; });
          },
          [&](const control::Restart& wish) {
            command(request, std::move(answer), wish.targets, [&](auto workers) {
              core::RestartWorkers made{workers, {}};
              if (wish.rolling) {
                made.rolling = core::Rolling{wish.parallel, wish.pause};
              }
              return made;
            });
          },
          [&](const control::Signal& wish) {
            command(request, std::move(answer), wish.targets,
                    [&](auto workers) { return core::SignalWorkers{workers, wish.signal}; });
          },
          [&](const control::Scale& wish) {
            load({Load::Kind::scale, expect(request, std::move(answer)), {wish.program, wish.workers}});
          },
          [&](const control::Reload& wish) {
            load({wish.plan ? Load::Kind::preview : Load::Kind::reload, expect(request, std::move(answer)), {}});
          },
          [&](const control::Shutdown&) { enqueue(core::CommandReceived{expect(request, std::move(answer)), core::ShutDown{}}); },
      },
      request.wish);
}

void Pump::hear(const control::GetEvents& wish, const api::Answer& answer) {
  step_until_quiet();  // What has happened is known before anybody is told.
  EventFilter filter{wish.whom, wish.events};
  if (!wish.follow) {
    const std::size_t most = wish.most ? std::min<std::uint64_t>(*wish.most, SIZE_MAX) : SIZE_MAX;
    return answer(control::events(chronicle_->history(filter, most, wish.after.value_or(0)), chronicle_->last()));
  }
  const auto stream = EventStream::begin(loop_, *chronicle_, std::move(filter), wish.after);
  if (!stream) {
    return answer(control::too_many_followers());
  }
  std::erase_if(followers_, [](const std::weak_ptr<EventStream>& gone) { return gone.expired(); });
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
void Pump::command(const control::Request& request, api::Answer answer, const control::Patterns& targets, Make make) {
  step_until_quiet();  // What has happened is known before anybody is looked for.
  auto workers = control::resolve(targets, view());
  if (!workers) {
    return answer(control::refusal(workers.error()));
  }
  enqueue(core::CommandReceived{expect(request, std::move(answer)), make(std::move(*workers))});
}

/// The answer is due when the core gives it, or when the client's patience is over, whichever is first.
core::CommandId Pump::expect(const control::Request& request, api::Answer answer) {
  const core::CommandId id{++last_command_};
  if (!request.wait) {
    answer(control::accepted());
    return id;
  }
  expected_.emplace(id, std::move(answer));
  if (request.patience) {
    const auto timer = std::make_shared<asio::steady_timer>(loop_, *request.patience);
    timer->async_wait([this, id, timer, patience = *request.patience](boost::system::error_code) {
      this->answer(id, control::too_slow(patience));
    });
  }
  return id;
}

void Pump::answer(std::optional<core::CommandId> id, control::Reply reply) {
  const auto expected = id ? expected_.extract(*id) : decltype(expected_)::node_type{};
  if (!expected.empty()) {
    expected.mapped()(std::move(reply));
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
