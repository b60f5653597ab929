#include "supervisor/cli/top/keys.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"

namespace corral::cli::top {
namespace {

/// Longer sequences are no key that anybody knows: they are thrown away, not collected.
constexpr std::size_t longest_sequence = 32;

/// What follows ESC [ or ESC O.
constexpr std::array<std::pair<std::string_view, Key::Kind>, 12> known{{{"A", Key::Kind::up},
                                                                        {"B", Key::Kind::down},
                                                                        {"H", Key::Kind::home},
                                                                        {"F", Key::Kind::end},
                                                                        {"M", Key::Kind::enter},
                                                                        {"1~", Key::Kind::home},
                                                                        {"7~", Key::Kind::home},
                                                                        {"4~", Key::Kind::end},
                                                                        {"8~", Key::Kind::end},
                                                                        {"5~", Key::Kind::page_up},
                                                                        {"6~", Key::Kind::page_down},
                                                                        {"3~", Key::Kind::backspace}}};

/// How long the sequence is that a lead byte begins.
std::size_t expected_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte > 0xf4 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
}

}  // namespace

void KeyReader::read(std::string_view bytes, std::vector<Key>& keys) {
  pending_ += bytes;
  while (!pending_.empty()) {
    const std::size_t taken = take(keys);
    if (taken == 0) {
      return;
    }
    pending_.erase(0, taken);
  }
}

void KeyReader::settle(std::vector<Key>& keys) {
  if (pending_ == "\x1b") {
    keys.push_back({Key::Kind::escape});
  }
  pending_.clear();
}

std::size_t KeyReader::take(std::vector<Key>& keys) const {
  const char c = pending_.front();
  switch (c) {
    case '\x1b': return take_sequence(keys);
    case '\r':
    case '\n': keys.push_back({Key::Kind::enter}); return 1;
    case '\x7f':
    case '\b': keys.push_back({Key::Kind::backspace}); return 1;
    case '\x10': keys.push_back({Key::Kind::up}); return 1;    // Ctrl-P
    case '\x0e': keys.push_back({Key::Kind::down}); return 1;  // Ctrl-N
    default: break;
  }
  if (static_cast<unsigned char>(c) < 0x20) {
    return 1;
  }
  const std::size_t length = utf8_length(pending_);
  if (length == 0) {
    return pending_.size() < expected_length(c) ? 0 : 1;
  }
  keys.push_back({Key::Kind::text, pending_.substr(0, length)});
  return length;
}

std::size_t KeyReader::take_sequence(std::vector<Key>& keys) const {
  if (pending_.size() == 1) {
    return 0;
  }
  if (pending_[1] == '\x1b') {
    keys.push_back({Key::Kind::escape});
    return 1;
  }
  if (pending_[1] != '[' && pending_[1] != 'O') {
    return 2;  // Alt and a key: none of ours.
  }
  // Parameters, and then the byte that says what it is. Anything else, or too much of it, is no sequence: so far it is dropped.
  const std::string_view body = std::string_view(pending_).substr(2, longest_sequence);
  const auto end = std::ranges::find_if(body, [](char c) { return c < ' ' || c > '?'; }) - body.begin();
  const auto parameters = static_cast<std::size_t>(end);
  if (parameters == body.size()) {
    return parameters < longest_sequence ? 0 : 2 + parameters;
  }
  if (body[parameters] < '@' || body[parameters] > '~') {
    return 2 + parameters;
  }
  const std::size_t length = 2 + parameters + 1;
  const auto* key =
      std::ranges::find(known, std::string_view(pending_).substr(2, length - 2), &std::pair<std::string_view, Key::Kind>::first);
  if (key != known.end()) {
    keys.push_back({key->second});
  }
  return length;
}

}  // namespace corral::cli::top
