#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "supervisor/cli/api_client.hpp"

namespace corral::cli {
namespace {

/// The reply to these bytes, which come one by one, and then the connection ends.
Result<std::optional<Reply>> read(std::string_view bytes) {
  ReplyReader reader;
  for (const char byte : bytes) {
    auto reply = reader.read(std::string_view(&byte, 1));
    if (!reply || *reply) {
      return reply;
    }
  }
  return reader.read({});
}

TEST_CASE("a body of a known length") {
  const auto reply = read("HTTP/1.1 200 OK\r\ncontent-LENGTH:  5 \r\nX: y\r\n\r\nhello");
  REQUIRE(reply);
  CHECK((*reply)->status == 200);
  CHECK((*reply)->body == "hello");
  CHECK((*read("HTTP/1.1 204 No Content\r\n\r\n"))->body.empty());
}

TEST_CASE("a body in chunks") {
  const auto reply = read("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n");
  REQUIRE(reply);
  CHECK((*reply)->status == 404);
  CHECK((*reply)->body == "hello world");
}

TEST_CASE("a body up to the end") { CHECK((*read("HTTP/1.0 200 OK\r\n\r\nhello"))->body == "hello"); }

TEST_CASE("all at once is the same as byte by byte") {
  ReplyReader reader;
  const auto reply = reader.read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore");
  CHECK((*reply)->body == "ok");
}

TEST_CASE("what is cut off or no HTTP is an error") {
  for (const std::string_view bytes :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"}) {
    CHECK_FALSE(read(bytes));
  }
  CHECK_FALSE(read(std::string(100'000, 'x')));
}

TEST_CASE("nobody at the socket is said at once") {
  const auto reply = ask({0, "/nowhere/corral.sock", {}}, {.target = "/v1/status"}, std::chrono::seconds(60));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().message == "no supervisor answers at '/nowhere/corral.sock': No such file or directory");
  CHECK_FALSE(ask({0, std::string(200, 'x'), {}}, {.target = "/"}, std::chrono::seconds(60)));
}

/// A listener in a folder of its own.
struct Listener {
  Listener() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    path = folder + "/corral.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);  // NOLINT: as POSIX has it.
    REQUIRE(::listen(socket.get(), 1) == 0);
  }
  ~Listener() {
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string folder = "/tmp/corral-reply-XXXXXX";
  std::string path;
  FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_CASE("an answer that comes before the question, and the end with it, is read") {
  const Listener listener;
  Result<Exchange> exchange = Exchange::begin({0, listener.path, {}}, {.target = "/v1/status"});
  REQUIRE(exchange);
  {
    const FileDescriptor server(::accept(listener.socket.get(), nullptr, nullptr));
    constexpr std::string_view refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    REQUIRE(::write(server.get(), refusal.data(), refusal.size()) == static_cast<ssize_t>(refusal.size()));
  }
  Result<std::optional<Reply>> reply = std::nullopt;
  for (int tries = 0; reply && !*reply && tries < 3; ++tries) {
    reply = exchange->proceed();
  }
  REQUIRE(reply);
  REQUIRE(*reply);
  CHECK((*reply)->status == 403);
  CHECK((*reply)->body == "no");
}

}  // namespace
}  // namespace corral::cli
