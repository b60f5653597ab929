#include "supervisor/shell/event_stream.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace corral::shell {

namespace {

/// More events go into the next piece.
constexpr std::size_t large = std::size_t{64} * 1024;

}  // namespace

void append_server_sent(std::string& out, const EventLine& event) {
  if (event.number != 0) {
    out.append("id: ").append(std::to_string(event.number)).append("\n");
  }
  out.append("data: ").append(event.json).append("\n\n");
}

std::shared_ptr<EventStream> EventStream::begin(boost::asio::io_context& loop, Chronicle& chronicle, EventFilter filter,
                                                std::optional<std::uint64_t> after) {
  const auto stream = std::make_shared<EventStream>(loop);
  const auto wake = [weak = stream->weak_from_this(), &loop] {
    boost::asio::post(loop, [weak] {
      if (const auto woken = weak.lock()) {
        woken->proceed();
      }
    });
  };
  stream->subscription_ = chronicle.subscribe(std::move(filter), most_waiting, wake, after);
  return stream->subscription_ ? stream : nullptr;
}

EventStream::~EventStream() {
  // The loop's own, which may be about to look at it.
  boost::asio::post(loop_, [let_go = std::move(subscription_)] {});
}

std::string EventStream::take_some() {
  std::string piece;
  while (piece.size() < large) {
    const std::optional<EventLine> event = subscription_->take();
    if (!event) {
      break;
    }
    append_server_sent(piece, *event);
  }
  return piece;
}

void EventStream::next(Take take) {
  std::optional<std::string> rest;
  {
    const std::lock_guard lock(mutex_);
    if (!rest_) {
      waiting_ = std::move(take);
    } else {
      rest = std::exchange(rest_, std::string());
    }
  }
  if (rest) {
    return take(rest->empty() ? std::nullopt : std::move(rest));
  }
  boost::asio::post(loop_, [weak = weak_from_this()] {
    if (const auto asked = weak.lock()) {
      asked->proceed();
    }
  });
}

void EventStream::proceed() {
  Take take;
  std::string piece;
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_ || rest_ || (piece = take_some()).empty()) {
      return;
    }
    take = std::exchange(waiting_, {});
  }
  take(std::move(piece));
}

void EventStream::finish() {
  Take take;
  std::string rest;
  for (std::string piece = take_some(); !piece.empty(); piece = take_some()) {
    rest += piece;
  }
  {
    const std::lock_guard lock(mutex_);
    take = std::exchange(waiting_, {});
    rest_ = take ? std::string() : rest;
  }
  if (take) {
    take(rest.empty() ? std::nullopt : std::optional(std::move(rest)));
  }
}

}  // namespace corral::shell
