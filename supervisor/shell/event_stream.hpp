// Events for one client that follows them: what a subscription holds, as server-sent events, piece by piece.
//
// The subscription is the loop's, the client the first thread's. A piece is made when the client has taken the last, so that what
// waits is the subscription's bounded queue and nothing else. When the supervisor ends, the rest is told and the stream ends.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "supervisor/shell/api/source.hpp"
#include "supervisor/shell/events/chronicle.hpp"

namespace corral::shell {

class EventStream final : public api::Source, public std::enable_shared_from_this<EventStream> {
 public:
  /// What waits for a client that does not take it.
  static constexpr std::size_t most_waiting = 1024;

  /// Null where too many follow already. With `after`, what the history still has since that number comes first.
  [[nodiscard]] static std::shared_ptr<EventStream> begin(boost::asio::io_context& loop, Chronicle& chronicle, EventFilter filter,
                                                          std::optional<std::uint64_t> after);
  explicit EventStream(boost::asio::io_context& loop) : loop_(loop) {}
  ~EventStream() override;

  void next(Take take) override;

  /// In the loop's thread, before that ends: what has not been told yet is the last.
  void finish();

 private:
  void proceed();
  [[nodiscard]] std::string take_some();

  boost::asio::io_context& loop_;
  std::shared_ptr<Subscription> subscription_;  ///< The loop's.
  std::mutex mutex_;
  Take waiting_;                     ///< Guarded. The client is ready for more.
  std::optional<std::string> rest_;  ///< Guarded. With it nothing more comes from the loop.
};

/// "id: 4\ndata: {…}\n\n", as https://html.spec.whatwg.org/multipage/server-sent-events.html has it.
void append_server_sent(std::string& out, const EventLine& event);

}  // namespace corral::shell
