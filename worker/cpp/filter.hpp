// Without a supervisor: a task a line on stdin, its result a line on stdout, failures on stderr. For debugging.
//
// Results leave before more input is waited for, so that it can be spoken with. A line break within a result becomes a
// blank, as in `corral map`.
#pragma once

#include <string>
#include <string_view>

#include "worker/cpp/worker.hpp"

namespace corral::worker {

class Filter final : public detail::Port {
 public:
  Filter(detail::Call call, void* handler) : call_(call), handler_(handler) {}

  /// Until stdin ends. The exit status.
  [[nodiscard]] int run();

  void answer(std::uint64_t id, std::string_view result) override;
  void progress(std::uint64_t /*id*/, std::string_view /*note*/) override {}
  [[nodiscard]] bool cancelled() override { return false; }
  [[nodiscard]] bool stop_requested() const override { return false; }

 private:
  /// Takes the whole lines off `input`; with `last`, what has no line break too.
  void take_lines(std::string& input, bool last);
  void work(std::string_view line);
  [[nodiscard]] bool write_out();

  detail::Call call_;
  void* handler_;
  std::uint64_t next_ = 0;
  std::string output_;
  bool failed_ = false;
  bool broken_ = false;  ///< Nobody reads stdout any more.
};

}  // namespace corral::worker
