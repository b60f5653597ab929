// What `corral top` asks the supervisor, and how the answers reach the model. Nothing in here waits.
#pragma once

#include <poll.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.hpp"
#include "common/base/result.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/top/model.hpp"

namespace corral::cli {

class TopQuestions {
 public:
  TopQuestions(process::Instance server, Duration interval, top::Model& model)
      : server_(std::move(server)), interval_(interval), model_(model) {}

  /// Before the screen is taken: the one thing that is waited for. Where nobody answers, a sentence is all that is needed.
  [[nodiscard]] Result<void> look_first();
  /// Asks what is due.
  void ask(Instant now);
  /// Starts, stops, restarts, or sends a signal.
  void command(const top::Act& act, Instant now);

  /// What to sleep on, appended; and what of it was ready.
  void watch(std::vector<pollfd>& watched) const;
  void hear(std::span<const pollfd> ready, Instant now);
  [[nodiscard]] Instant next_deadline(Instant now) const;

  /// Why there is nobody left to ask; empty: there is.
  [[nodiscard]] const std::string& gone() const { return gone_; }

 private:
  enum class About : std::uint8_t { status, events, command };
  struct Question {
    About about;
    Exchange exchange;
    Instant since;
    std::string done{};  ///< Of a command: what is then said.
  };

  void begin(About about, const Request& request, Instant now, std::string done = {});
  void heard(const Question& question, const Reply& reply, Instant now);
  void fail(const Question& question, const std::string& why);
  [[nodiscard]] bool asks(About about) const;

  process::Instance server_;
  Duration interval_;
  top::Model& model_;
  std::vector<Question> questions_;
  Instant ask_at_{};
  bool has_events_ = true;
  std::string gone_;
};

}  // namespace corral::cli
