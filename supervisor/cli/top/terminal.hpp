// The terminal while `corral top` has it: keys one by one, the other screen, and everything as it was at each way out.
//
// Only one exists at a time. A crash (SIGSEGV, abort, …) gives the terminal back before it takes its course.
#pragma once

#include <signal.h>

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "supervisor/cli/top/painter.hpp"

namespace corral::cli::top {

/// Why a full-screen view is impossible here; empty: it is not.
[[nodiscard]] std::string why_no_screen();

/// Whether the locale's characters are UTF-8, as LC_ALL, LC_CTYPE and LANG say.
[[nodiscard]] bool terminal_speaks_utf8();

class Terminal {
 public:
  /// Signals are heard from here on, and only inside wait().
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] Result<void> enter();
  /// As it was before enter(). Twice does no harm.
  void leave();

  [[nodiscard]] Size size() const;
  /// False: the terminal is gone.
  [[nodiscard]] bool write(std::string_view bytes) const;
  [[nodiscard]] bool read(std::string& bytes) const;

  void forget_typed() const;

  /// The mask to sleep with.
  [[nodiscard]] const sigset_t& mask_while_waiting() const { return before_; }

  /// What has come since it was last asked: a signal that ends, 0 for none.
  [[nodiscard]] int take_ending() const;
  [[nodiscard]] bool take_stop() const;
  [[nodiscard]] bool take_resize() const;

 private:
  sigset_t before_{};
  bool entered_ = false;
};

}  // namespace corral::cli::top
