// A reply that goes on until its source ends, the client leaves, or it does not read what it asked for.
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

#include "supervisor/shell/api/session.hpp"

namespace corral::api {

namespace beast = boost::beast;
namespace http = boost::beast::http;

void Session::follow(Stream stream) {
  waits_ = Waits::for_reader;
  progress();
  asked_ = 0;  // That is answered: who leaves now leaves a stream.
  source_ = std::move(stream.source);
  struct Head {
    http::response<http::empty_body> message;
    http::response_serializer<http::empty_body> serializer{message};
  };
  const auto head = std::make_shared<Head>();
  head->message.version(11);
  head->message.set(http::field::content_type, {stream.type.data(), stream.type.size()});
  head->message.set(http::field::cache_control, "no-store");
  head->message.set("X-Content-Type-Options", "nosniff");
  head->message.keep_alive(false);
  chunked_ = parser_->get().version() == 11;
  head->message.chunked(chunked_);
  await_leaving();
  stream_.expires_after(around_.limits.arrival);
  http::async_write_header(stream_, head->serializer, [self = shared_from_this(), head](beast::error_code ec, std::size_t) {
    if (ec) {
      return self->close();
    }
    self->await_piece();
  });
}

/// Who follows has nothing more to say: whatever comes, or the end of it, is its end.
void Session::await_leaving() {
  buffer_.clear();
  constexpr std::size_t some = 64;
  stream_.expires_never();
  stream_.async_read_some(buffer_.prepare(some), [self = shared_from_this()](beast::error_code, std::size_t) { self->close(); });
}

void Session::await_piece() {
  if (!source_) {
    return;  // It has left meanwhile.
  }
  waits_ = Waits::for_answer;
  // The source may keep what it is asked for as long as it likes, and on a thread of its own: it keeps nobody alive.
  source_->next([weak = weak_from_this(), executor = stream_.get_executor()](std::optional<std::string> piece) {
    boost::asio::post(executor, [weak, piece = std::move(piece)]() mutable {
      if (const auto self = weak.lock()) {
        self->write_piece(std::move(piece));
      }
    });
  });
}

void Session::write_piece(std::optional<std::string> piece) {
  waits_ = Waits::for_reader;
  progress();
  const bool ends = !piece;
  piece_ = std::move(piece).value_or(std::string());
  const auto written = [self = shared_from_this(), ends](beast::error_code ec, std::size_t) {
    if (ec || ends) {
      return self->close();
    }
    self->await_piece();
  };
  stream_.expires_after(around_.limits.arrival);
  if (!chunked_) {
    boost::asio::async_write(stream_, boost::asio::buffer(piece_), written);
  } else if (ends) {
    boost::asio::async_write(stream_, http::make_chunk_last(), written);
  } else {
    boost::asio::async_write(stream_, http::make_chunk(boost::asio::buffer(piece_)), written);
  }
}

}  // namespace corral::api
