// What workers did when, as trace events that Perfetto and Chrome's about:tracing read: an array in JSON, whose end may be
// missing when corral was killed.
#pragma once

#include <string>

#include "supervisor/shell/tasks/spans.hpp"

namespace corral::shell {

class Trace : public SpanListener {
 public:
  Trace(boost::asio::io_context& loop, ReportPlace place, std::function<void()> drained, const SpanFacts& facts);

  void hear(const Span& span) override;
  void hear(const LifeChange& change) override;
  void pause(Instant now) override;
  void close(std::string_view summary) override;

 private:
  void name_thread(std::uint32_t worker, std::string_view cores);
  void end_event();

  Instant begun_;
  std::string out_;  ///< Whole events that the file does not have yet.
};

}  // namespace corral::shell
