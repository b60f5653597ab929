#include "supervisor/cli/api_client.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "common/base/units.hpp"
#include "supervisor/cli/api_connection.hpp"

namespace corral::cli {
namespace {

constexpr std::size_t most_head = 64U * 1024;
constexpr std::size_t most_body = 256U * 1024 * 1024;  // 100,000 workers are some 30 MB.

std::string as_text(const Request& request) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: corral\r\nConnection: close\r\nAccept: {}\r\n", request.method,
                                 request.target, request.accept);
  if (!request.body.empty()) {
    text += "Content-Type: application/json\r\n";
  }
  if (request.method != "GET") {
    text += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  return text.append("\r\n").append(request.body);
}

bool same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t\r") + 1);
}

std::optional<std::size_t> whole_number(std::string_view text, int base = 10) {
  std::size_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
  const bool good = read.ec == std::errc{} && read.ptr == text.data() + text.size() && number <= most_body;
  return good ? std::optional(number) : std::nullopt;
}

std::unexpected<Error> not_http() { return failure("what answers on the supervisor's socket does not speak the control API"); }

std::unexpected<Error> cut_off() {
  return std::unexpected(Error{"the supervisor closed the connection in the middle of its answer", ECONNRESET});
}

using Clock = std::chrono::steady_clock;

void wait_a_while() {
  constexpr int a_while = 10;
  ::poll(nullptr, 0, a_while);
}

}  // namespace

Result<void> ReplyReader::read_head(std::string_view head) {
  const std::string_view first = head.substr(0, head.find("\r\n"));
  const auto status = first.starts_with("HTTP/1.") && first.size() >= 12 ? whole_number(first.substr(9, 3)) : std::nullopt;
  if (!status) {
    return not_http();
  }
  reply_.status = static_cast<int>(*status);
  body_ = Body::to_the_end;
  for (std::string_view rest = head.substr(std::min(first.size() + 2, head.size())); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(line.size() + 2, rest.size()));
    const std::string_view name = line.substr(0, line.find(':'));
    const std::string_view value = trimmed(line.substr(std::min(name.size() + 1, line.size())));
    if (same_word(name, "Transfer-Encoding") && same_word(value, "chunked")) {
      body_ = Body::chunked;
    } else if (same_word(name, "Content-Length") && body_ != Body::chunked) {
      const auto length = whole_number(value);
      if (!length) {
        return not_http();
      }
      body_ = Body::sized;
      length_ = *length;
    }
  }
  if (reply_.status == 204 || reply_.status == 304) {
    body_ = Body::sized;
    length_ = 0;
  }
  return {};
}

/// Whether the last one is there.
Result<bool> ReplyReader::read_chunks() {
  while (true) {
    const auto line = pending_.find("\r\n");
    if (line == std::string::npos) {
      return pending_.size() > most_head ? Result<bool>(not_http()) : false;
    }
    const std::string_view head = std::string_view(pending_).substr(0, line);
    const auto size = whole_number(trimmed(head.substr(0, head.find(';'))), 16);
    if (!size || reply_.body.size() + *size > most_body) {
      return not_http();
    }
    if (*size == 0) {
      return true;  // What may follow says nothing that is wanted.
    }
    if (pending_.size() < line + 2 + *size + 2) {
      return false;
    }
    reply_.body.append(pending_, line + 2, *size);
    pending_.erase(0, line + 2 + *size + 2);
  }
}

Result<std::optional<Reply>> ReplyReader::read(std::string_view bytes) {
  const bool ended = bytes.empty();
  pending_ += bytes;
  if (body_ == Body::unknown) {
    const auto end = pending_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (ended) {
        return cut_off();
      }
      return pending_.size() > most_head ? Result<std::optional<Reply>>(not_http()) : std::nullopt;
    }
    if (const Result<void> head = read_head(std::string_view(pending_).substr(0, end)); !head) {
      return std::unexpected(head.error());
    }
    pending_.erase(0, end + 4);
    constexpr std::size_t soon_there = 1U << 20U;  // What only claims to come is not believed beyond that.
    pending_.reserve(std::min(length_, soon_there));
  }
  bool complete = body_ == Body::to_the_end && ended;
  if (body_ == Body::chunked) {
    const Result<bool> last = read_chunks();
    if (!last) {
      return std::unexpected(last.error());
    }
    complete = *last;
  } else if (body_ == Body::sized && pending_.size() >= length_) {
    pending_.resize(length_);
    complete = true;
  } else if (pending_.size() > most_body) {
    return not_http();
  }
  if (complete) {
    if (body_ != Body::chunked) {
      reply_.body = std::move(pending_);
    }
    return std::move(reply_);
  }
  return ended ? Result<std::optional<Reply>>(cut_off()) : std::nullopt;
}

Result<Exchange> Exchange::begin(const process::Instance& server, const Request& request, Duration in_line) {
  Result<FileDescriptor> socket = connected_to(server, in_line);
  if (!socket) {
    return std::unexpected(std::move(socket.error()));
  }
  return Exchange(std::move(*socket), as_text(request));
}

Result<std::optional<Reply>> Exchange::proceed() {
  if (!unsent_.empty()) {
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      unsent_.clear();  // It hears no more, and may have said why.
      return std::nullopt;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      return system_failure("cannot ask the supervisor", errno);
    }
    unsent_.erase(0, sent > 0 ? static_cast<std::size_t>(sent) : 0);
    return std::nullopt;
  }
  std::array<char, 64U * 1024> buffer;  // NOLINT: filled by recv.
  const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0) {
    const bool later = errno == EAGAIN || errno == EINTR;
    return later ? Result<std::optional<Reply>>(std::nullopt) : system_failure("cannot hear the supervisor's answer", errno);
  }
  return reader_.read(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
}

namespace {

Result<Reply> ask_once(const process::Instance& server, const Request& request, Duration patience, Clock::time_point until) {
  constexpr Duration least = std::chrono::milliseconds(1);
  Result<Exchange> exchange = Exchange::begin(server, request, std::max<Duration>(until - Clock::now(), least));
  if (!exchange) {
    return std::unexpected(exchange.error());
  }
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd ready{exchange->descriptor(), static_cast<short>(exchange->wants_to_write() ? POLLOUT : POLLIN), 0};
    if (left <= 0 || (::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30))) < 0 && errno != EINTR)) {
      return std::unexpected(
          Error{fmt::format("the supervisor has not answered within {}", describe_duration(patience)), ETIMEDOUT});
    }
    if (ready.revents != 0) {
      Result<std::optional<Reply>> reply = exchange->proceed();
      if (!reply) {
        return std::unexpected(reply.error());
      }
      if (*reply) {
        return std::move(**reply);
      }
    }
  }
}

}  // namespace

Result<Reply> ask(const process::Instance& server, const Request& request, Duration patience) {
  const auto until = Clock::now() + patience;
  Result<Reply> reply = ask_once(server, request, patience, until);
  // Where too many come at once the supervisor lets go of some: whoever only looks comes again.
  constexpr int most_tries = 5;
  for (int tries = 1; !reply && reply.error().error_number == ECONNRESET && request.method == "GET" && tries < most_tries;
       ++tries) {
    wait_a_while();
    reply = ask_once(server, request, patience, until);
  }
  return reply;
}

}  // namespace corral::cli
