#include "supervisor/shell/logs/format.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "common/base/text.hpp"

namespace corral::logs {
namespace {

/// Calls `sink` with each line, without its break.
template <class Sink>
void each_line(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    sink(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
}

void append_named(std::string& out, const Target& target, std::string_view bytes, const Piece& piece) {
  const std::string head = target.program + "/" + std::to_string(piece.worker) + (piece.goes_on ? " > " : " | ");
  each_line(bytes, [&](std::string_view line) { out.append(head).append(line) += '\n'; });
}

void append_json(std::string& out, const Target& target, std::string_view bytes, const Piece& piece) {
  std::string head = R"({"time":")" + time_text(piece.time_ms) + R"(","worker":")" + target.program + "/" +
                     std::to_string(piece.worker) + R"(","stream":")" + (piece.err ? "stderr" : "stdout") + R"(","line":)";
  const std::string_view tail = piece.goes_on ? ",\"goes_on\":true}\n" : "}\n";
  each_line(bytes, [&](std::string_view line) {
    out.append(head);
    append_json_string(out, line);
    out.append(tail);
  });
}

}  // namespace

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string time_text(std::int64_t time_ms) {
  const std::time_t seconds = time_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(time_ms % 1000));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::uint64_t count_lines(std::string_view bytes) {
  const auto breaks = static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
  return breaks + (!bytes.empty() && bytes.back() != '\n' ? 1 : 0);
}

void append_plain(std::string& out, std::string_view bytes, bool goes_on) {
  out.append(bytes);
  if (goes_on) {
    out += '\\';
  }
  if (bytes.back() != '\n') {
    out += '\n';
  }
}

void append_formatted(std::string& out, const Target& target, std::string_view bytes, const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    const std::string_view own = bytes.substr(0, piece.size);
    bytes.remove_prefix(piece.size);
    if (target.shape == Shape::named) {
      append_named(out, target, own, piece);
    } else {
      append_json(out, target, own, piece);
    }
  }
}

}  // namespace corral::logs
