#include "supervisor/shell/io/relay.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace corral;
using namespace corral::shell;

namespace {

Life life_of(std::uint32_t index, std::uint32_t incarnation = 1) { return Life{{ProgramId{3}, index}, Incarnation{incarnation}}; }

void put(const FileDescriptor& fd, std::string_view bytes) {
  REQUIRE(::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

/// What a process has of its pipes.
struct Ends {
  FileDescriptor out;
  FileDescriptor err;
};

struct Listener {
  std::vector<std::string> lines;
  bool closes_later = false;
  std::vector<FileDescriptor> kept;
  Relay relay;

  explicit Listener(int keep_below = 0)
      : relay(*Relay::open(
            [this](const WorkerOutput& output) {
              for_each_line(output, [&](const WorkerLine& line) {
                lines.push_back(std::to_string(line.life.worker.index) + (line.stream == Stream::out ? " out " : " err ") +
                                std::string(line.text));
              });
            },
            [this](FileDescriptor fd) {
              if (closes_later) {
                kept.push_back(std::move(fd));
              }
            },
            keep_below)) {}

  [[gnu::noinline]] Ends connect(Life life) {
    const Result<Relay::WriteEnds> ends = relay.connect(life);
    REQUIRE(ends.has_value());
    Ends copies{FileDescriptor(::dup(ends->out)), FileDescriptor(::dup(ends->err))};
    relay.launched(life);
    return copies;
  }

  bool readable() const {
    pollfd asked{relay.descriptor(), POLLIN, 0};
    return ::poll(&asked, 1, 0) == 1;
  }
};

}  // namespace

TEST_CASE("each worker's streams are told apart") {
  Listener listener;
  Ends first = listener.connect(life_of(0));
  Ends second = listener.connect(life_of(70'000));
  CHECK_FALSE(listener.readable());
  put(first.out, "a\n");
  put(first.err, "b\n");
  put(second.out, "c\nhalf");
  CHECK(listener.readable());
  std::vector<Life> closed;
  listener.relay.read_ready(closed);
  CHECK(closed.empty());
  CHECK(listener.lines == std::vector<std::string>{"0 out a", "0 err b", "70000 out c"});
  second.out.reset();
  second.err.reset();
  listener.relay.read_ready(closed);
  REQUIRE(closed.size() == 1);
  CHECK(closed.front() == life_of(70'000));
  CHECK(listener.lines.back() == "70000 out half");
}

TEST_CASE("a worker that closes one stream goes on with the other, and the closed one wakes nobody") {
  Listener listener;
  Ends ends = listener.connect(life_of(1));
  ends.out.reset();
  std::vector<Life> closed;
  listener.relay.read_ready(closed);
  CHECK(closed.empty());
  CHECK_FALSE(listener.readable());
  put(ends.err, "still here\n");
  listener.relay.read_ready(closed);
  CHECK(listener.lines == std::vector<std::string>{"1 err still here"});
}

TEST_CASE("draining reads what is there and tells whether it was all") {
  Listener listener;
  Ends ends = listener.connect(life_of(2));
  put(ends.out, "last words");
  CHECK_FALSE(listener.relay.drain(life_of(2)));
  CHECK(listener.lines.empty());
  ends.out.reset();
  ends.err.reset();
  CHECK(listener.relay.drain(life_of(2)));
  CHECK(listener.lines == std::vector<std::string>{"2 out last words"});
  CHECK(listener.relay.drain(life_of(2)));
  CHECK(listener.relay.open_pipes() == 0);
}

TEST_CASE("a pipe that has ended wakes nobody, though it is closed later") {
  Listener listener;
  listener.closes_later = true;
  {
    const Ends ends = listener.connect(life_of(0));
  }
  CHECK(listener.relay.drain(life_of(0)));
  CHECK(listener.kept.size() == 2);
  CHECK_FALSE(listener.readable());
}

TEST_CASE("closing hands on half a line; a past life's close does not touch the present one") {
  Listener listener;
  Ends ends = listener.connect(life_of(3, 2));
  put(ends.out, "half");
  std::vector<Life> closed;
  listener.relay.read_ready(closed);
  listener.relay.close(life_of(3, 1));
  CHECK(listener.relay.open_pipes() == 2);
  listener.relay.close(life_of(3, 2));
  CHECK(listener.relay.open_pipes() == 0);
  CHECK(listener.lines == std::vector<std::string>{"3 out half"});
}

TEST_CASE("without descriptors a connection fails and leaves nothing behind") {
  Listener listener;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(0);
  ::close(next);
  for (int extra = 0; extra < 4; ++extra) {
    const rlimit low{static_cast<rlim_t>(next + extra), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    const auto refused = listener.relay.connect(life_of(4));
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().error_number == EMFILE);
    const int again = ::dup(0);
    ::close(again);
    CHECK(again == next);
  }
  CHECK(listener.relay.connect(life_of(4)).has_value());
}

TEST_CASE("pipes that are kept carry the next life, and no end of a process wakes anybody") {
  Listener listener(1 << 20);
  Ends ends = listener.connect(life_of(5, 1));
  CHECK(listener.relay.keeps(life_of(5, 1)));
  put(ends.out, "whole\nhalf");
  const int next = ::dup(0);
  ::close(next);
  ends = Ends{};
  std::vector<Life> closed;
  listener.relay.read_ready(closed);
  CHECK(closed.empty());
  CHECK_FALSE(listener.readable());
  CHECK_FALSE(listener.relay.keeps(life_of(5, 2)));
  listener.relay.finish(life_of(5, 1));
  CHECK(listener.lines == std::vector<std::string>{"5 out whole", "5 out half"});
  CHECK_FALSE(listener.relay.keeps(life_of(5, 1)));

  ends = listener.connect(life_of(5, 2));
  CHECK(listener.relay.open_pipes() == 2);
  put(ends.err, "again");
  listener.relay.close(life_of(5, 1));
  listener.relay.finish(life_of(5, 2));
  CHECK(listener.lines.back() == "5 err again");
  listener.relay.forget(WorkerId{ProgramId{3}, 5});
  CHECK(listener.relay.open_pipes() == 0);
}

TEST_CASE("what is written to a kept pipe between two lives is the earlier one's") {
  Listener listener(1 << 20);
  const Ends stranger = listener.connect(life_of(6, 1));
  listener.relay.finish(life_of(6, 1));
  put(stranger.out, "late\n");
  std::vector<Life> closed;
  listener.relay.read_ready(closed);
  CHECK(closed.empty());
  CHECK(listener.lines == std::vector<std::string>{"6 out late"});
}

TEST_CASE("a kept pipe that is drained ends when nobody else holds it") {
  Listener listener(1 << 20);
  Ends ends = listener.connect(life_of(7));
  CHECK_FALSE(listener.relay.drain(life_of(7)));
  CHECK_FALSE(listener.relay.keeps(life_of(7)));
  put(ends.out, "bye");
  ends = Ends{};
  std::vector<Life> closed;
  listener.relay.read_ready(closed);
  listener.relay.read_ready(closed);
  REQUIRE(closed.size() == 1);
  CHECK(listener.lines == std::vector<std::string>{"7 out bye"});
}

TEST_CASE("when descriptors run out, none are kept any more") {
  Listener listener(1 << 20);
  const Ends living = listener.connect(life_of(8));
  static_cast<void>(listener.connect(life_of(9)));
  listener.relay.finish(life_of(9));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit low{static_cast<rlim_t>(next), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const auto connected = listener.relay.connect(life_of(10));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(connected.has_value());
  CHECK_FALSE(listener.relay.keeps(life_of(8)));
  CHECK(listener.relay.open_pipes() == 4);
  put(living.out, "still heard\n");
  std::vector<Life> closed;
  listener.relay.read_ready(closed);
  CHECK(listener.lines == std::vector<std::string>{"8 out still heard"});
}

TEST_CASE("the next life does not inherit what a process made of a kept pipe") {
  Listener listener(1 << 20);
  {
    const Ends ends = listener.connect(life_of(11, 1));
    REQUIRE(::fcntl(ends.out.get(), F_SETFL, O_NONBLOCK) == 0);
    listener.relay.finish(life_of(11, 1));
  }
  {
    const Ends ends = listener.connect(life_of(11, 2));
    CHECK((::fcntl(ends.out.get(), F_GETFL) & O_NONBLOCK) == 0);
    REQUIRE(::fcntl(ends.out.get(), F_SETPIPE_SZ, 4096) == 4096);
    listener.relay.finish(life_of(11, 2));
  }
  const Ends ends = listener.connect(life_of(11, 3));
  CHECK(::fcntl(ends.out.get(), F_GETPIPE_SZ) > 4096);
  CHECK(listener.relay.open_pipes() == 2);
}

TEST_CASE("whoever fills a pipe gets a wider one, and so many do") {
  constexpr int wide = 512 * 1024;
  const std::string much(std::size_t{64} * 1024 - 1, 'x');
  const auto size_of = [](const FileDescriptor& fd) { return ::fcntl(fd.get(), F_GETPIPE_SZ); };
  Listener listener;
  std::vector<Ends> ends;
  std::vector<Life> closed;
  const auto fill = [&](std::uint32_t index) {
    ends.push_back(listener.connect(life_of(index)));
    const int narrow = size_of(ends.back().out);
    if (narrow != 64 * 1024) {
      return narrow;  // Somebody has used up this user's share of pipes.
    }
    put(ends.back().err, "a line\n");
    put(ends.back().out, much + "\n");
    listener.relay.read_ready(closed);
    CHECK(size_of(ends.back().err) == narrow);
    return size_of(ends.back().out);
  };
  for (std::uint32_t index = 0; index < 64; ++index) {
    CHECK(fill(index) == wide);
  }
  CHECK(fill(64) == 64 * 1024);
  SUBCASE("what is let go of makes room for another one") {
    listener.relay.close(life_of(7));
    CHECK(fill(65) == wide);
  }
  SUBCASE("what a process has made of it itself stays") {
    listener.relay.close(life_of(7));
    ends.push_back(listener.connect(life_of(66)));
    REQUIRE(::fcntl(ends.back().out.get(), F_SETPIPE_SZ, 1 << 20) == 1 << 20);
    put(ends.back().out, much + "\n");
    listener.relay.read_ready(closed);
    CHECK(size_of(ends.back().out) == 1 << 20);
  }
}

TEST_CASE("letting go of a pipe hands on what is in it") {
  Listener listener(1 << 20);
  const Ends ends = listener.connect(life_of(12));
  put(ends.out, "unread\n");
  listener.relay.close(life_of(12));
  CHECK(listener.lines == std::vector<std::string>{"12 out unread"});
}
