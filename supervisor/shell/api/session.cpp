#include "supervisor/shell/api/session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <string_view>
#include <utility>

namespace corral::api {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

/// A session that somebody else's thread may let go of: it is this loop's, and ends here.
class Held {
 public:
  explicit Held(std::shared_ptr<Session> session) : session_(std::make_shared<Keeper>(std::move(session))) {}
  [[nodiscard]] const std::shared_ptr<Session>& session() const { return session_->session; }
  [[nodiscard]] Session::Connection::executor_type executor() const { return session_->executor; }

 private:
  struct Keeper {
    explicit Keeper(std::shared_ptr<Session> kept) : session(std::move(kept)), executor(session->executor()) {}
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    ~Keeper() {
      boost::asio::post(executor, [dropped = std::move(session)] {});
    }

    std::shared_ptr<Session> session;
    Session::Connection::executor_type executor;
  };
  std::shared_ptr<Keeper> session_;
};

}  // namespace

Session::Session(boost::asio::generic::stream_protocol::socket socket, const Handler& handler, const Limits& limits,
                 std::function<void(Session&)> ended)
    : stream_(std::move(socket)),
      handler_(handler),
      limits_(limits),
      ended_(std::move(ended)),
      buffer_(limits.header + limits.body) {}

Session::~Session() { ended_(*this); }

void Session::close() {
  source_.reset();
  stream_.close();
}

void Session::read() {
  waits_ = Waits::for_request;
  parser_.emplace();
  parser_->header_limit(limits_.header);
  parser_->body_limit(limits_.body);
  // The first byte may take its time, the rest of it may not: a request that comes in drops gets no more than one of silence.
  stream_.expires_after(buffer_.size() == 0 ? limits_.idle : limits_.arrival);
  http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code ec, std::size_t) {
    if (ec) {
      return self->hear(ec);
    }
    self->stream_.expires_after(self->limits_.arrival);
    if (!beast::iequals(self->parser_->get()[http::field::expect], "100-continue")) {
      return self->read_body();
    }
    // It asks before it sends its body. What is wrong with the length has already ended in an error.
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    boost::asio::async_write(self->stream_, boost::asio::buffer(go_on), [self](beast::error_code failed, std::size_t) {
      if (!failed) {
        self->read_body();
      }
    });
  });
}

void Session::read_body() {
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](beast::error_code ec, std::size_t) { self->hear(ec); });
}

void Session::hear(beast::error_code ec) {
  if (ec == http::error::end_of_stream || ec == beast::error::timeout) {
    return;  // It goes, or has said nothing for too long: dropped with its last reference.
  }
  waits_ = Waits::for_answer;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
    return refuse(431, "the header is too long");
  }
  if (ec == http::error::body_limit) {
    return refuse(413, "the body is too long");
  }
  if (ec.category() == make_error_code(http::error::bad_method).category()) {
    return refuse(400, "that is not a request of HTTP/1.1: " + ec.message());
  }
  if (ec) {
    return;
  }
  const auto& request = parser_->get();
  head_ = request.method() == http::verb::head;
  if (request.count(http::field::content_length) > 0 && request.count(http::field::transfer_encoding) > 0) {
    return refuse(400, "a length and a transfer coding: it could be read in two ways");
  }
  if (request.count(http::field::host) > 1 || (request.version() == 11 && request.count(http::field::host) == 0)) {
    return refuse(400, "HTTP/1.1 wants one Host");
  }
  const auto view = [](boost::beast::string_view text) { return std::string_view(text.data(), text.size()); };
  auto understood =
      control::understand({view(request.method_string()), view(request.target()), view(request[http::field::content_type]),
                           request.body(), view(request[http::field::accept]), view(request["Last-Event-ID"])});
  const bool keep_alive = request.keep_alive();
  stream_.expires_never();  // A command may take long; who waits for it is counted.
  if (!understood) {
    return write(control::refusal(understood.error()), keep_alive);
  }
  handler_(std::move(*understood), [held = Held(shared_from_this()), keep_alive](Answered answered) {
    boost::asio::post(held.executor(), [self = held.session(), keep_alive, answered = std::move(answered)]() mutable {
      self->answer(std::move(answered), keep_alive);
    });
  });
}

void Session::answer(Answered answered, bool keep_alive) {
  if (auto* reply = std::get_if<control::Reply>(&answered)) {
    return write(std::move(*reply), keep_alive);
  }
  follow(std::move(std::get<Stream>(answered)));
}

void Session::refuse(int status, std::string text) { write(control::refusal({status, std::move(text), {}}), false); }

void Session::write(control::Reply reply, bool keep_alive) {
  waits_ = Waits::for_reader;
  response_ = {};
  response_.version(11);
  response_.result(static_cast<unsigned>(reply.status));
  response_.set(http::field::content_type, {reply.type.data(), reply.type.size()});
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  if (!reply.allow.empty()) {
    response_.set(http::field::allow, reply.allow);
  }
  response_.keep_alive(keep_alive);
  response_.body() = std::move(reply.body);
  response_.prepare_payload();
  if (head_) {
    response_.body().clear();
  }
  stream_.expires_after(limits_.arrival);
  http::async_write(stream_, response_, [self = shared_from_this(), keep_alive](beast::error_code ec, std::size_t) {
    if (ec) {
      return;
    }
    if (keep_alive) {
      self->read();
    } else {
      self->forget_rest();
    }
  });
}

/// Closing with bytes unread would reset the connection, and the client would not see the reply.
void Session::forget_rest() {
  beast::error_code ignored;
  stream_.socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
  buffer_.clear();
  constexpr std::size_t some = 4096;
  stream_.expires_after(std::chrono::seconds(1));
  stream_.async_read_some(buffer_.prepare(some), [self = shared_from_this()](beast::error_code, std::size_t) {});
}

}  // namespace corral::api
