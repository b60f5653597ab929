// Those who are turned away: each is answered at once, whatever he asks, and his connection is kept for a moment.
//
// Closed before he has asked it would break under what he sends, and he would never see the answer. Nothing here waits, and
// there are never more than a few: the oldest goes where one more comes.
#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "common/base/file_descriptor.hpp"

namespace corral::api {

class Farewells {
 public:
  explicit Farewells(boost::asio::io_context& loop) : loop_(loop) {}

  /// Writes `reply`, and closes when he has, or after a second.
  void say(FileDescriptor connection, std::string_view reply);
  /// False where there is none.
  bool drop_oldest();
  void close();

 private:
  class Leaver;

  boost::asio::io_context& loop_;
  std::deque<std::shared_ptr<Leaver>> leavers_;  ///< The oldest first; some have gone already.
};

}  // namespace corral::api
