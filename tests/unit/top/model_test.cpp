#include <doctest/doctest.h>

#include "tests/unit/top/support.hpp"

namespace corral::cli::top::test {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("rates come from two samples of one life") {
  Model model;
  model.take(sample({worker("a", 0, 10)}), at(100));
  CHECK_FALSE(model.rows()[0].cpu_share);
  model.take(sample({worker("a", 0, 11)}), at(102));
  CHECK(*model.rows()[0].cpu_share == doctest::Approx(0.5));
  CHECK(*model.totals().cpu_share == doctest::Approx(0.5));

  WorkerSample next_life = worker("a", 0, 0.1);
  next_life.incarnation = 2;
  next_life.pid = 2000;
  model.take(sample({next_life}), at(103));
  CHECK_FALSE(model.rows()[0].cpu_share);
  CHECK_FALSE(model.totals().cpu_share);
}

TEST_CASE("two samples at nearly the same time are one") {
  Model model;
  model.take(sample({worker("a", 0, 10)}), at(100));
  model.take(sample({worker("a", 0, 10.01)}), at(100.001));
  CHECK_FALSE(model.rows()[0].cpu_share);
  model.take(sample({worker("a", 0, 11)}), at(101));
  CHECK(*model.rows()[0].cpu_share == doctest::Approx(1.0));
}

TEST_CASE("a counter that runs backwards has no rate") {
  Model model;
  model.take(sample({worker("a", 0, 10)}), at(100));
  model.take(sample({worker("a", 0, 9)}), at(101));
  CHECK_FALSE(model.rows()[0].cpu_share);
}

TEST_CASE("tasks have a rate where they are counted") {
  Model model;
  WorkerSample fed = worker("a", 0);
  fed.tasks_done = 100;
  model.take(sample({fed}), at(1));
  fed.tasks_done = 400;
  model.take(sample({fed}), at(3));
  CHECK(*model.rows()[0].task_rate == doctest::Approx(150));
  CHECK(*model.totals().task_rate == doctest::Approx(150));
}

TEST_CASE("workers of the same cores are neighbours, and those of none come last") {
  Model model;
  std::vector<WorkerSample> workers{worker("b", 10), worker("a", 9), worker("z", 0), worker("a", 10)};
  workers[2].cores.clear();
  model.take(sample(workers), at(1));
  CHECK(names(model) == Names{"a/9", "a/10", "b/10", "z/0"});
  CHECK(model.rows()[1].begins_lane);
  CHECK_FALSE(model.rows()[2].begins_lane);
  CHECK(model.rows()[3].begins_lane);
}

TEST_CASE("o goes through the orders") {
  Model model;
  std::vector<WorkerSample> workers{worker("a", 0), worker("a", 1), worker("a", 2)};
  workers[1].restarts = 7;
  workers[2].memory_bytes = 1U << 30U;
  workers[0].cores = "8";
  model.take(sample(workers), at(1));
  CHECK(names(model) == Names{"a/1", "a/2", "a/0"});
  static_cast<void>(type(model, "o"));
  CHECK(names(model) == Names{"a/0", "a/1", "a/2"});
  static_cast<void>(type(model, "oo"));
  CHECK(names(model) == Names{"a/2", "a/0", "a/1"});
  static_cast<void>(type(model, "o"));
  CHECK(names(model) == Names{"a/1", "a/0", "a/2"});
  static_cast<void>(type(model, "o"));
  CHECK(model.order() == Order::cores);
}

TEST_CASE("what is selected is a worker, wherever its line moves") {
  Model model;
  model.take(sample({worker("a", 0), worker("a", 1), worker("a", 2)}), at(1));
  CHECK(model.selected() == 0);
  CHECK_FALSE(model.press({Key::Kind::down}));
  CHECK(model.selected() == 1);
  WorkerSample moved = worker("a", 1);
  moved.cores = "77";
  model.take(sample({worker("a", 0), moved, worker("a", 2)}), at(2));
  CHECK(model.rows()[*model.selected()].worker.name == "a/1");
  model.take(sample({worker("a", 0), worker("a", 2)}), at(3));
  CHECK(model.rows()[*model.selected()].worker.name == "a/2");
  model.take(sample({}), at(4));
  CHECK_FALSE(model.selected());
  CHECK_FALSE(model.press({Key::Kind::down}));
}

TEST_CASE("the selected worker is among those that can be seen") {
  Model model;
  std::vector<WorkerSample> workers;
  for (std::uint64_t index = 0; index < 100; ++index) {
    workers.push_back(worker("a", index));
  }
  model.take(sample(workers), at(1));
  model.fit(10);
  static_cast<void>(model.press({Key::Kind::end}));
  CHECK(model.selected() == 99);
  CHECK(model.first_visible() == 90);
  static_cast<void>(model.press({Key::Kind::page_up}));
  CHECK(model.selected() == 89);
  CHECK(model.first_visible() == 89);
  static_cast<void>(model.press({Key::Kind::home}));
  CHECK(model.first_visible() == 0);
  static_cast<void>(model.press({Key::Kind::end}));
  model.fit(50);
  CHECK(model.first_visible() == 50);
  model.fit(0);
  CHECK(model.first_visible() == 99);
}

TEST_CASE("a restart is asked for twice") {
  Model model;
  model.take(sample({worker("a", 0)}), at(1));
  CHECK_FALSE(type(model, "r"));
  CHECK(std::holds_alternative<Confirming>(model.mode()));
  CHECK_FALSE(type(model, "n"));
  CHECK(model.message() == "nothing was done");
  CHECK(type(model, "ry") == Act{Act::Kind::restart, "a/0"});
  CHECK(std::holds_alternative<Browsing>(model.mode()));
}

TEST_CASE("s stops who is wanted and starts who is not") {
  Model model;
  WorkerSample down = worker("a", 0);
  model.take(sample({down}), at(1));
  CHECK(type(model, "sy") == Act{Act::Kind::stop, "a/0"});
  down.wanted_up = false;
  model.take(sample({down}), at(2));
  CHECK(type(model, "sy") == Act{Act::Kind::start, "a/0"});
}

TEST_CASE("who was asked about is meant, whatever happens meanwhile") {
  Model model;
  model.take(sample({worker("a", 0), worker("b", 1)}), at(1));
  CHECK_FALSE(type(model, "r"));
  model.take(sample({worker("b", 1)}), at(2));
  CHECK(type(model, "y") == Act{Act::Kind::restart, "a/0"});
}

TEST_CASE("a signal is typed by name or number") {
  Model model;
  model.take(sample({worker("a", 0)}), at(1));
  CHECK_FALSE(type(model, "kusx"));
  CHECK_FALSE(model.press({Key::Kind::backspace}));
  CHECK_FALSE(type(model, "r1"));
  CHECK(model.press({Key::Kind::enter}) == Act{Act::Kind::signal, "a/0", "USR1"});
  CHECK_FALSE(type(model, "k9"));
  CHECK(model.press({Key::Kind::enter}) == Act{Act::Kind::signal, "a/0", "KILL"});
  CHECK_FALSE(type(model, "kq"));
  CHECK_FALSE(model.press({Key::Kind::enter}));
  CHECK(model.message().find("there is no signal 'q'") == 0);
  CHECK_FALSE(type(model, "kTERM"));
  CHECK_FALSE(model.press({Key::Kind::escape}));
  CHECK(std::holds_alternative<Browsing>(model.mode()));
}

TEST_CASE("a filter shows what has it in its name or its state") {
  Model model;
  std::vector<WorkerSample> workers{worker("crunch", 0), worker("crunch", 1), worker("web", 2)};
  workers[1].state = "backoff";
  model.take(sample(workers), at(1));
  CHECK_FALSE(type(model, "/web"));
  CHECK(names(model) == Names{"web/2"});
  CHECK_FALSE(model.press({Key::Kind::enter}));
  CHECK(names(model) == Names{"web/2"});
  CHECK(model.totals().workers == 3);
  CHECK_FALSE(model.press({Key::Kind::escape}));
  CHECK(names(model).size() == 3);
  CHECK_FALSE(type(model, "/back"));
  CHECK(names(model) == Names{"crunch/1"});
  CHECK_FALSE(model.press({Key::Kind::escape}));
  CHECK(names(model).size() == 3);
  CHECK_FALSE(type(model, "/q"));  // Text, not the key that leaves.
  CHECK(names(model).empty());
  CHECK_FALSE(type(model, "\xc3"));
  CHECK_FALSE(model.press({Key::Kind::backspace}));
}

TEST_CASE("help is left by any key, and q leaves for good") {
  Model model;
  CHECK_FALSE(type(model, "?x"));
  CHECK(std::holds_alternative<Browsing>(model.mode()));
  CHECK(type(model, "?q") == Act{});
}

TEST_CASE("keys without a worker do nothing") {
  Model model;
  for (const std::string_view key : {"r", "s", "k", "l", "o", "x"}) {
    CHECK_FALSE(type(model, key));
    CHECK(std::holds_alternative<Browsing>(model.mode()));
  }
  CHECK(type(model, "q") == Act{});
}

TEST_CASE("the last event of each worker is kept, and that of no other") {
  Model model;
  model.take(LastEvents{{"a/0", "started"}, {"gone/0", "ended"}});
  model.take(sample({worker("a", 0)}), at(1));
  CHECK(model.rows()[0].event == "started");
  model.take(LastEvents{{"gone/0", "ended"}});
  CHECK(model.rows()[0].event == "started");
  model.take(LastEvents{{"a/0", "killed"}});
  CHECK(model.rows()[0].event == "killed");
}

TEST_CASE("an answer ends what was said of none") {
  Model model;
  model.miss("no answer for 3 s");
  CHECK(model.missing() == "no answer for 3 s");
  model.take(sample({}), at(1));
  CHECK(model.missing().empty());
}

}  // namespace
}  // namespace corral::cli::top::test
