// A reply that goes on: pieces of text, each asked for when the last has been taken by the client, so that nothing piles up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "supervisor/control/reply.hpp"

namespace corral::api {

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// The next piece; nothing: that was all. May be called from any thread, and once.
  using Take = std::function<void(std::optional<std::string>)>;
  /// Never blocks, and calls `take` when there is something: now, later, or never where the source is let go before. Asked for
  /// one piece at a time. Called, and let go, on the listener's loop.
  virtual void next(Take take) = 0;
};

struct Stream {
  std::string_view type;  ///< Its media type.
  std::shared_ptr<Source> source;
};

/// One text for all who are answered the same: a status of hundreds of workers is copied for none of them.
struct Whole {
  Whole(control::Reply made) : reply(std::make_shared<const control::Reply>(std::move(made))) {}  // NOLINT: that is what it is.
  std::shared_ptr<const control::Reply> reply;                                                    ///< Never null.
};

/// A whole document, or what goes on.
using Answered = std::variant<Whole, Stream>;

}  // namespace corral::api
