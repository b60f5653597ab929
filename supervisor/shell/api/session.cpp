#include "supervisor/shell/api/session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
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

/// Whoever has taken something of his reply so lately reads it.
constexpr Duration reads_within = std::chrono::milliseconds(100);

}  // namespace

Session::Session(boost::asio::generic::stream_protocol::socket socket, Circumstances around)
    : stream_(std::move(socket)), around_(std::move(around)), buffer_(around_.limits.header + around_.limits.body) {}

Session::~Session() { around_.ended(*this); }

void Session::close() {
  source_.reset();
  stream_.close();
}

/// What it has asked for is not even begun where it has been closed meanwhile.
void Session::go_on() {
  if (stream_.socket().is_open()) {
    read();
  }
}

void Session::read() {
  waits_ = Waits::for_request;
  serializer_.reset();
  reply_.reset();
  parser_.emplace();
  parser_->header_limit(around_.limits.header);
  parser_->body_limit(around_.limits.body);
  if (const auto ec = parse_what_is_there(); ec != http::error::need_more) {
    return hear_header(ec);
  }
  // The first byte may take its time, the rest of it may not: a request that comes in drops gets no more than one of silence.
  stream_.expires_after(buffer_.size() == 0 ? around_.limits.idle : around_.limits.arrival);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](beast::error_code ec, std::size_t) { self->hear_header(ec); });
}

/// Not in the loop, which would come back to it after others have come: whoever has said what he wants does not give way to them.
beast::error_code Session::parse_what_is_there() {
  if (buffer_.size() == 0) {
    take_what_is_there();
  }
  beast::error_code ec = http::error::need_more;
  if (buffer_.size() > 0) {
    buffer_.consume(parser_->put(buffer_.data(), ec));
  }
  return ec;
}

void Session::hear_header(beast::error_code ec) {
  if (ec) {
    return hear(ec);
  }
  stream_.expires_after(around_.limits.arrival);
  if (!is_let_in()) {
    return;
  }
  if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
    return parser_->is_done() ? hear({}) : read_body();
  }
  // It asks before it sends its body. What is wrong with the length has already ended in an error.
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  boost::asio::async_write(stream_, boost::asio::buffer(go_on),
                           [self = shared_from_this()](beast::error_code failed, std::size_t) {
                             if (!failed) {
                               self->read_body();
                             }
                           });
}

/// Before its body is read: whoever may not speak has sent eight KiB at most. Otherwise it is answered here.
bool Session::is_let_in() {
  if (around_.guard == nullptr) {
    return true;
  }
  const auto& header = parser_->get();
  const auto text = [&](http::field name) { return std::string_view(header[name].data(), header[name].size()); };
  const auto refused = around_.guard->check({text(http::field::host), header.count(http::field::host), text(http::field::origin),
                                             header.count(http::field::origin), text(http::field::authorization),
                                             header.count(http::field::authorization), header.target()});
  if (refused) {
    head_ = header.method() == http::verb::head;
    around_.refused(refused->mistake);
    write(control::refusal(refused->refusal), false);
  }
  return !refused;
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
  if (request.count(http::field::transfer_encoding) > 1 ||
      (request.count(http::field::transfer_encoding) == 1 &&
       !beast::iequals(request[http::field::transfer_encoding], "chunked"))) {
    // Beast reads another one as no body at all: what follows would be the next request.
    return refuse(501, "the only transfer coding understood is chunked");
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
  const auto answer = [weak = weak_from_this(), loop = stream_.get_executor(), keep_alive](Answered answered) {
    boost::asio::post(loop, [weak, keep_alive, answered = std::move(answered)]() mutable {
      if (const auto self = weak.lock()) {  // Otherwise the client has left.
        self->answer(std::move(answered), keep_alive);
      }
    });
  };
  asked_ = around_.handler(std::move(*understood), answer);
  watch();
}

/// Until the answer is there: does the client still wait for it?
void Session::watch() {
  stream_.socket().async_wait(Connection::socket_type::wait_read,
                              [self = shared_from_this(), asked = asked_](beast::error_code ec) {
                                if (!ec && self->waits_ == Waits::for_answer && self->asked_ == asked) {
                                  self->look();
                                }
                              });
}

void Session::look() {
  pollfd seen{stream_.socket().native_handle(), POLLIN | POLLRDHUP, 0};
  static_cast<void>(::poll(&seen, 1, 0));
  if ((seen.revents & (POLLHUP | POLLERR)) != 0) {
    return around_.abandoned(asked_);  // And this session is over.
  }
  if ((seen.revents & POLLRDHUP) != 0) {
    if (is_guarded()) {
      around_.abandoned(asked_);  // TCP does not tell one who has left from one who still listens.
    }
    return await_end();  // It has said all that it has to say, and listens.
  }
  // It says its next request already.
  if (buffer_.size() == buffer_.max_size()) {
    return around_.abandoned(asked_);
  }
  take_what_is_there();
  watch();
}

/// As much as there is room for, and no more than a little at a time.
void Session::take_what_is_there() {
  constexpr std::size_t most_at_once = std::size_t{4} * 1024;
  const auto into = buffer_.prepare(std::min(buffer_.max_size() - buffer_.size(), most_at_once));
  const ssize_t got = ::recv(stream_.socket().native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  buffer_.commit(got > 0 ? static_cast<std::size_t>(got) : 0);
}

/// The kernel tells of it when the client has closed the other direction too.
void Session::await_end() {
  stream_.socket().async_wait(Connection::socket_type::wait_error,
                              [self = shared_from_this(), asked = asked_](beast::error_code ec) {
                                if (!ec && self->waits_ == Waits::for_answer && self->asked_ == asked) {
                                  self->around_.abandoned(asked);
                                }
                              });
}

void Session::answer(Answered answered, bool keep_alive) {
  if (auto* whole = std::get_if<Whole>(&answered)) {
    return write(std::move(*whole), keep_alive);
  }
  follow(std::move(std::get<Stream>(answered)));
}

void Session::refuse(int status, std::string text) { write(control::refusal({status, std::move(text), {}}), false); }

void Session::write(Whole whole, bool keep_alive) {
  waits_ = Waits::for_reader;
  reply_ = std::move(whole.reply);
  const control::Reply& reply = *reply_;
  beast::error_code ignored;
  stream_.socket().cancel(ignored);  // What watch() has begun.
  response_ = {};
  response_.version(11);
  response_.result(static_cast<unsigned>(reply.status));
  response_.set(http::field::content_type, {reply.type.data(), reply.type.size()});
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  response_.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  if (reply.status == static_cast<int>(http::status::unauthorized)) {
    response_.set(http::field::www_authenticate, "Bearer");
  }
  if (!reply.allow.empty()) {
    response_.set(http::field::allow, reply.allow);
  }
  response_.keep_alive(keep_alive);
  response_.body() = {reply.body.data(), reply.body.size()};
  response_.prepare_payload();
  if (head_) {
    response_.body() = {};
  }
  stream_.expires_after(around_.limits.arrival);
  serializer_.emplace(response_);
  write_on(keep_alive);
}

/// A piece at a time: each that goes says that the client reads.
void Session::write_on(bool keep_alive) {
  progress();
  http::async_write_some(stream_, *serializer_, [self = shared_from_this(), keep_alive](beast::error_code ec, std::size_t) {
    if (ec) {
      return;
    }
    if (!self->serializer_->is_done()) {
      return self->write_on(keep_alive);
    }
    if (!keep_alive) {
      return self->forget_rest();
    }
    if (self->buffer_.size() == 0 || !self->around_.gives_way(*self)) {
      self->read();
    }
  });
}

Session::Waits Session::waits() const {
  // Whoever asks for more before he has read what he has asked for is given no time for that.
  const bool reads =
      waits_ == Waits::for_reader && buffer_.size() == 0 && std::chrono::steady_clock::now() - progressed_at_ < reads_within;
  return reads ? Waits::for_answer : waits_;
}

/// Closing with bytes unread would reset the connection, and the client would not see the reply.
void Session::forget_rest() {
  beast::error_code ignored;
  stream_.socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
  constexpr std::size_t enough = std::size_t{8} << 20U;
  stream_.expires_after(std::chrono::seconds(1));
  forget_some(enough);
}

/// For as long as was said, and no more than `most`.
void Session::forget_some(std::size_t most) {
  constexpr std::size_t some = std::size_t{64} * 1024;
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(some), [self = shared_from_this(), most](beast::error_code ec, std::size_t count) {
    if (!ec && count < most) {
      self->forget_some(most - count);
    }
  });
}

}  // namespace corral::api
