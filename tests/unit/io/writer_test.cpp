#include "supervisor/shell/io/writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include "common/base/file_descriptor.hpp"

using namespace corral;
using namespace corral::shell;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  FileDescriptor read, write;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  REQUIRE(::pipe2(fds.data(), O_CLOEXEC) == 0);
  return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

std::string read_some(int fd, std::size_t most) {
  std::string text(most, '\0');
  const ssize_t got = ::read(fd, text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

constexpr std::size_t more_than_a_pipe = 200'000;

/// Reads until everything has come; the writer gets its turns of the loop in between.
std::string read_all(boost::asio::io_context& loop, int fd, std::size_t expected) {
  std::string all;
  while (all.size() < expected) {
    all += read_some(fd, 32 * 1024);
    loop.restart();
    loop.poll();
  }
  return all;
}

}  // namespace

TEST_CASE("what has no line end at all is written too, however long it is") {
  boost::asio::io_context loop;
  Pipe ends = make_pipe();
  Writer writer(loop, ends.write.get(), [] {});
  writer.keep_lines_whole();
  const std::string bytes(10'000, 'x');
  writer.append(bytes);
  writer.flush();
  CHECK(writer.pending() == 0);
  CHECK(read_all(loop, ends.read.get(), bytes.size()) == bytes);
}

TEST_CASE("a full pipe is not waited for, and nothing is lost") {
  boost::asio::io_context loop;
  Pipe ends = make_pipe();
  int drained = 0;
  Writer writer(loop, ends.write.get(), [&] { ++drained; });
  std::string bytes;
  for (std::size_t i = 0; bytes.size() < more_than_a_pipe; ++i) {
    bytes += std::to_string(i) + "\n";
  }
  writer.append(bytes);
  writer.flush();
  CHECK(writer.pending() > 0);
  CHECK(writer.pending() < bytes.size());
  CHECK(read_all(loop, ends.read.get(), bytes.size()) == bytes);
  CHECK(writer.pending() == 0);
  CHECK(drained == 1);
  // The flag of the inherited descriptor is the user's and not ours.
  CHECK((::fcntl(ends.write.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a full socket is not waited for either") {
  boost::asio::io_context loop;
  std::array<int, 2> fds{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
  const FileDescriptor reader(fds[0]);
  const FileDescriptor writing(fds[1]);
  Writer writer(loop, writing.get(), [] {});
  const std::string bytes(2'000'000, 's');
  writer.append(bytes);
  writer.flush();
  CHECK(writer.pending() > 0);
  CHECK(read_all(loop, reader.get(), bytes.size()) == bytes);
}

TEST_CASE("a reader that has gone is an error that is told, and what comes later is counted") {
  ::signal(SIGPIPE, SIG_IGN);
  boost::asio::io_context loop;
  Pipe ends = make_pipe();
  Writer writer(loop, ends.write.get(), [] {});
  ends.read.reset();
  writer.append("four");
  writer.flush();
  CHECK(writer.error_number() == EPIPE);
  CHECK(writer.dropped() == 4);
  writer.append("five!");
  CHECK(writer.dropped() == 9);
  CHECK(writer.pending() == 0);
}

TEST_CASE("the end does not wait for a reader for ever") {
  boost::asio::io_context loop;
  Pipe ends = make_pipe();
  Writer writer(loop, ends.write.get(), [] {});
  writer.append(std::string(more_than_a_pipe, 'x'));
  CHECK_FALSE(writer.finish(20ms));
  CHECK(writer.pending() > 0);
}

TEST_CASE("a regular file is written by a thread, in order and completely") {
  boost::asio::io_context loop;
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::string expected;
  {
    Writer writer(loop, ::fileno(file), [] {});
    for (int i = 0; i < 1000; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      expected += line;
      writer.append(line);
      writer.flush();
    }
    CHECK(writer.finish(10s));
    CHECK(writer.pending() == 0);
  }
  REQUIRE(::lseek(::fileno(file), 0, SEEK_SET) == 0);
  CHECK(read_some(::fileno(file), expected.size() + 1) == expected);
  std::fclose(file);
}

TEST_CASE("a disk that is full loses what does not fit, says so, and is tried again") {
  boost::asio::io_context loop;
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  Writer writer(loop, full.get(), [] {});
  writer.append("lost");
  writer.flush();
  CHECK(writer.error_number() == ENOSPC);
  CHECK(writer.dropped() == 4);
}

TEST_CASE("two readers that are stuck are waited for side by side") {
  boost::asio::io_context loop;
  Pipe one = make_pipe();
  Pipe two = make_pipe();
  Writer first(loop, one.write.get(), [] {});
  Writer second(loop, two.write.get(), [] {});
  first.append(std::string(more_than_a_pipe, 'x'));
  second.append(std::string(more_than_a_pipe, 'y'));
  int looked = 0;
  const auto begin = std::chrono::steady_clock::now();
  Writer::finish(first, second, 300ms, [&] { ++looked; });
  CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
  CHECK(std::chrono::steady_clock::now() - begin < 550ms);
  CHECK(first.pending() > 0);
  CHECK(second.pending() > 0);
  CHECK(looked > 0);
}

TEST_CASE("one reader that is stuck takes nothing away from the other") {
  boost::asio::io_context loop;
  Pipe stuck = make_pipe();
  Pipe read = make_pipe();
  Writer first(loop, stuck.write.get(), [] {});
  Writer second(loop, read.write.get(), [] {});
  first.append(std::string(more_than_a_pipe, 'x'));
  second.append(std::string(more_than_a_pipe, 'y'));
  std::string all;
  std::jthread reader([&] {
    while (all.size() < more_than_a_pipe) {
      all += read_some(read.read.get(), 32 * 1024);
    }
  });
  Writer::finish(first, second, 2s, [] {});
  reader.join();
  CHECK(all == std::string(more_than_a_pipe, 'y'));
  CHECK(second.pending() == 0);
}
