// One connection of the API: a request, its reply, and again.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "supervisor/shell/api/server.hpp"

namespace corral::api {

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Connection = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;

  struct Circumstances {
    const Handler& handler;
    const Abandoned& abandoned;
    const Limits& limits;
    const control::Guard* guard;  ///< Null where the kernel has said who it is.
    std::function<void(Session&)> ended;
    /// Asked where the client has asked again before it was answered: whether others come first, and go_on() is called later.
    std::function<bool(Session&)> gives_way;
    std::function<void(control::Guard::Mistake)> refused;
  };

  Session(boost::asio::generic::stream_protocol::socket socket, Circumstances around);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  enum class Waits : std::uint8_t {
    for_request,  ///< Or for the rest of one.
    for_answer,   ///< Of ours.
    for_reader,   ///< The client does not read the reply.
  };

  void begin() { read(); }
  void go_on();
  /// A client that reads its reply, however slowly, counts as one that waits for us.
  [[nodiscard]] Waits waits() const;
  /// Its reply goes on.
  [[nodiscard]] bool follows() const { return source_ != nullptr; }
  [[nodiscard]] bool is_guarded() const { return around_.guard != nullptr; }
  void close();
  /// Closes it, and its place is somebody else's.
  void drop() {
    dropped_ = true;
    close();
  }
  [[nodiscard]] bool is_dropped() const { return dropped_; }

 private:
  void read();
  [[nodiscard]] boost::beast::error_code parse_what_is_there();
  void take_what_is_there();
  void hear_header(boost::beast::error_code ec);
  [[nodiscard]] bool is_let_in();
  void read_body();
  void hear(boost::beast::error_code ec);
  void watch();
  void look();
  void await_end();
  void refuse(int status, std::string text);
  void answer(Answered answered, bool keep_alive);
  void write(Whole whole, bool keep_alive);
  void write_on(bool keep_alive);
  void progress() { progressed_at_ = std::chrono::steady_clock::now(); }
  void forget_rest();
  void forget_some(std::size_t most);

  // session_stream.cpp
  void follow(Stream stream);
  void await_leaving();
  void await_piece();
  void write_piece(std::optional<std::string> piece);

  Connection stream_;
  Circumstances around_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::shared_ptr<const control::Reply> reply_;  ///< What response_ looks at.
  boost::beast::http::response<boost::beast::http::span_body<const char>> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::span_body<const char>>> serializer_;
  std::shared_ptr<Source> source_;
  std::string piece_;  ///< Of a stream, until it is written.
  Waits waits_ = Waits::for_request;
  std::chrono::steady_clock::time_point progressed_at_;  ///< Of the reply: when the last piece of it began to be written.
  RequestId asked_ = 0;                                  ///< The last.
  bool dropped_ = false;
  bool head_ = false;     ///< The reply has no body.
  bool chunked_ = false;  ///< A stream's pieces each say how long they are.
};

}  // namespace corral::api
