// What `corral top` knows, and what its keys do. Pure: samples, keys and instants go in; rows and orders come out.
//
// Rates come from two samples of the same life; of a life that has been seen once there is none. What is selected is a
// worker, not a line: it stays selected while lines move.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/instant.hpp"
#include "supervisor/cli/top/keys.hpp"
#include "supervisor/cli/top/sample.hpp"

namespace corral::cli::top {

/// One worker, as it is shown.
struct Row {
  WorkerSample worker;
  std::optional<double> cpu_share;  ///< Of one CPU: 1 is all of it.
  std::optional<double> task_rate;  ///< A second.
  std::string event;                ///< Empty: none is known.
  bool begins_lane = false;         ///< The first of those that share its cores.
};

struct Totals {
  std::size_t workers = 0;
  std::optional<double> cpu_share;
  std::uint64_t memory_bytes = 0;
  std::optional<double> task_rate;
  std::vector<std::pair<std::string, std::size_t>> states;  ///< Those that occur, in the order of a worker's life.
};

enum class Order : std::uint8_t { cores, name, cpu, memory, restarts };
[[nodiscard]] std::string_view name(Order order);

/// What the loop is asked to do.
struct Act {
  enum class Kind : std::uint8_t { start, stop, restart, signal, follow_log, quit };
  Kind kind = Kind::quit;
  std::string worker{};
  std::string signal{};  ///< A name that parse_signal knows.

  friend bool operator==(const Act&, const Act&) = default;
};

struct Browsing {};
struct Helping {};
struct Filtering {
  std::string before;  ///< What Escape goes back to.
};
struct ChoosingSignal {
  std::string worker;
  std::string text;
};
struct Confirming {
  Act act;
};
using Mode = std::variant<Browsing, Helping, Filtering, ChoosingSignal, Confirming>;

class Model {
 public:
  void take(Sample sample, Instant now);
  void take(LastEvents events);
  /// The last question was not answered; what is shown is as old as it is.
  void miss(std::string why) { missing_ = std::move(why); }
  /// Shown until the next key.
  void say(std::string message) { message_ = std::move(message); }

  [[nodiscard]] std::optional<Act> press(const Key& key);

  /// So many rows can be seen: the selected one is among them from now on.
  void fit(std::size_t visible);

  /// Those that the filter leaves, in order.
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] std::optional<std::size_t> selected() const;  ///< In rows().
  [[nodiscard]] std::size_t first_visible() const { return first_visible_; }
  [[nodiscard]] const Sample* sample() const { return sample_ ? &*sample_ : nullptr; }
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] const Mode& mode() const { return mode_; }
  [[nodiscard]] const std::string& filter() const { return filter_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const std::string& missing() const { return missing_; }
  [[nodiscard]] Order order() const { return order_; }

 private:
  struct Rates {
    std::optional<double> cpu_share;
    std::optional<double> task_rate;
  };

  [[nodiscard]] std::optional<Act> press_browsing(const Key& key);
  [[nodiscard]] std::optional<Act> press_letter(const std::string& letter);
  [[nodiscard]] std::optional<Act> press_choosing(ChoosingSignal& choosing, const Key& key);
  [[nodiscard]] std::optional<Act> press_confirming(const Confirming& confirming, const Key& key);
  void press_filtering(const Filtering& filtering, const Key& key);
  void ask(Act::Kind kind);
  void move(std::ptrdiff_t by);
  void rebuild();
  void keep_selection(std::size_t last);

  std::optional<Sample> sample_;
  Instant sampled_at_{};
  std::map<std::string, Rates, std::less<>> rates_;
  LastEvents events_;
  std::vector<Row> rows_;
  std::string selected_;  ///< By name.
  std::size_t first_visible_ = 0;
  std::size_t visible_ = 1;
  Order order_ = Order::cores;
  std::string filter_;
  std::string message_;
  std::string missing_;
  Mode mode_;
};

/// The number of the first CPU of a list such as "2-3,8"; those without any come last.
[[nodiscard]] std::uint64_t first_cpu(std::string_view cores);

}  // namespace corral::cli::top
