// What keys do.
#include <algorithm>

#include "common/base/signals.hpp"
#include "supervisor/cli/top/model.hpp"

namespace corral::cli::top {
namespace {

/// Enough for a worker's name or a signal's.
constexpr std::size_t longest_text = 80;

/// Text that is typed: true where the key belonged to it.
bool edit(std::string& text, const Key& key) {
  if (key.kind == Key::Kind::backspace) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U) {
      text.pop_back();
    }
    if (!text.empty()) {
      text.pop_back();
    }
    return true;
  }
  if (key.kind == Key::Kind::text && text.size() + key.text.size() <= longest_text) {
    text += key.text;
    return true;
  }
  return key.kind == Key::Kind::text;
}

}  // namespace

std::optional<Act> Model::press(const Key& key) {
  message_.clear();
  Mode mode = std::exchange(mode_, Browsing{});  // What goes on says so.
  if (auto* choosing = std::get_if<ChoosingSignal>(&mode)) {
    return press_choosing(*choosing, key);
  }
  if (const auto* confirming = std::get_if<Confirming>(&mode)) {
    return press_confirming(*confirming, key);
  }
  if (const auto* filtering = std::get_if<Filtering>(&mode)) {
    press_filtering(*filtering, key);
    return std::nullopt;
  }
  if (std::holds_alternative<Helping>(mode)) {
    return key.kind == Key::Kind::text && key.text == "q" ? std::optional(Act{}) : std::nullopt;
  }
  return press_browsing(key);
}

std::optional<Act> Model::press_browsing(const Key& key) {
  const auto page = static_cast<std::ptrdiff_t>(visible_);
  const auto all = static_cast<std::ptrdiff_t>(rows_.size());
  switch (key.kind) {
    case Key::Kind::up: move(-1); return std::nullopt;
    case Key::Kind::down: move(1); return std::nullopt;
    case Key::Kind::page_up: move(-page); return std::nullopt;
    case Key::Kind::page_down: move(page); return std::nullopt;
    case Key::Kind::home: move(-all); return std::nullopt;
    case Key::Kind::end: move(all); return std::nullopt;
    case Key::Kind::escape:
      filter_.clear();
      rebuild();
      return std::nullopt;
    case Key::Kind::enter:
    case Key::Kind::backspace: return std::nullopt;
    case Key::Kind::text: return press_letter(key.text);
  }
  return std::nullopt;
}

std::optional<Act> Model::press_letter(const std::string& letter) {
  const auto at = selected();
  if (letter == "q") {
    return Act{};
  }
  if (letter == "?" || letter == "h") {
    mode_ = Helping{};
  } else if (letter == "/") {
    mode_ = Filtering{filter_};
  } else if (letter == "o") {
    order_ = order_ == Order::restarts ? Order::cores : static_cast<Order>(static_cast<std::uint8_t>(order_) + 1);
    rebuild();
  } else if (letter == "r") {
    ask(Act::Kind::restart);
  } else if (letter == "s" && at) {
    ask(rows_[*at].worker.wanted_up ? Act::Kind::stop : Act::Kind::start);
  } else if (letter == "k" && at) {
    mode_ = ChoosingSignal{rows_[*at].worker.name, {}};
  } else if (letter == "l" && at) {
    return Act{Act::Kind::follow_log, rows_[*at].worker.name};
  }
  return std::nullopt;
}

/// Nothing is stopped by a finger that slipped.
void Model::ask(Act::Kind kind) {
  if (const auto at = selected()) {
    mode_ = Confirming{{kind, rows_[*at].worker.name}};
  }
}

std::optional<Act> Model::press_confirming(const Confirming& confirming, const Key& key) {
  const bool yes = key.kind == Key::Kind::enter || (key.kind == Key::Kind::text && (key.text == "y" || key.text == "Y"));
  if (yes) {
    return confirming.act;
  }
  say("nothing was done");
  return std::nullopt;
}

std::optional<Act> Model::press_choosing(ChoosingSignal& choosing, const Key& key) {
  if (key.kind == Key::Kind::escape) {
    say("nothing was sent");
    return std::nullopt;
  }
  if (key.kind != Key::Kind::enter) {
    static_cast<void>(edit(choosing.text, key));
    mode_ = choosing;
    return std::nullopt;
  }
  const auto number = parse_signal(choosing.text);
  if (!number) {
    say("there is no signal '" + choosing.text + "'; such as TERM, HUP, USR1 or 9");
    return std::nullopt;
  }
  return Act{Act::Kind::signal, choosing.worker, signal_name(*number)};
}

void Model::press_filtering(const Filtering& filtering, const Key& key) {
  if (key.kind == Key::Kind::enter) {
    return;
  }
  if (key.kind == Key::Kind::escape) {
    filter_ = filtering.before;
  } else if (edit(filter_, key)) {
    mode_ = filtering;
  } else {
    static_cast<void>(press_browsing(key));  // Arrows go through what is found so far.
    mode_ = filtering;
  }
  rebuild();
}

void Model::move(std::ptrdiff_t by) {
  if (rows_.empty()) {
    return;
  }
  const auto last = static_cast<std::ptrdiff_t>(rows_.size()) - 1;
  const auto to = std::clamp(static_cast<std::ptrdiff_t>(selected().value_or(0)) + by, std::ptrdiff_t{0}, last);
  selected_ = rows_[static_cast<std::size_t>(to)].worker.name;
  fit(visible_);
}

}  // namespace corral::cli::top
