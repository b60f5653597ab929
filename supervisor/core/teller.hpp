// Whoever tells the story of one worker, a sentence at a time: explain.cpp says what is, explain_next.cpp what follows.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "supervisor/core/explain.hpp"
#include "supervisor/core/restart.hpp"

namespace corral::core {

class Teller {
 public:
  Teller(std::string_view worker, const WorkerView& view, const std::vector<PastNotice>& past)
      : view_(view), policy_(view.spec->restart), past_(past), now_(view.now) {
    out_.worker = worker;
    out_.state = kind(view.worker.state);
  }

  Explanation tell();

 private:
  void say(std::string sentence, std::vector<std::string> keys = {}) {
    out_.reasons.push_back({std::move(sentence), std::move(keys)});
  }
  void next(std::string_view what);
  /// "3 workers"
  [[nodiscard]] static std::string count(std::uint32_t number, std::string_view noun) {
    return std::to_string(number).append(" ").append(noun).append(number == 1 ? "" : "s");
  }
  /// Those that are a success: "0, 3".
  [[nodiscard]] std::string codes() const;
  [[nodiscard]] Duration left() const { return std::max(view_.worker.due - now_, Duration::zero()); }
  [[nodiscard]] std::string in() const { return left() == Duration::zero() ? "now" : "in " + describe_duration(left()); }

  /// The latest notice of a kind that is about this worker.
  template <class T>
  [[nodiscard]] std::pair<const T*, Instant> last() const {
    for (auto past = past_.rbegin(); past != past_.rend(); ++past) {
      const T* notice = std::get_if<T>(past->notice);
      if constexpr (requires { notice->life; }) {
        if (notice != nullptr && notice->life.worker == view_.id) {
          return {notice, past->at};
        }
      } else if (notice != nullptr) {
        return {notice, past->at};
      }
    }
    return {nullptr, Instant{}};
  }

  // explain.cpp: what is, and how it came to it
  void tell_state();
  void tell_why_stopped();
  void tell_last_end();
  [[nodiscard]] bool would_judge_so(const Ended& ended) const;
  void tell_of_reload_since(Instant end, bool same_rules);
  void tell_who_killed(const Ended& ended);
  void tell_judgement(const ExitStatus& status, bool success);
  void tell_limit();

  // explain_next.cpp: what follows
  void tell_next();
  void tell_next_start();
  void tell_wait();
  void tell_running();
  void tell_stop();
  void tell_failed(FailReason reason);

  const WorkerView& view_;
  const RestartPolicy& policy_;
  const std::vector<PastNotice>& past_;
  Instant now_;
  Explanation out_;
};

}  // namespace corral::core
