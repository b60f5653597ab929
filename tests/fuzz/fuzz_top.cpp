// What `corral top` reads, against whatever libFuzzer thinks of: replies of HTTP, keys of a terminal, and the JSON that its
// screen is painted from.
//
// What must hold: no crash, no sanitizer's report; bytes in pieces mean the same as all at once; and whatever the supervisor
// says, nothing but printable text that fits reaches the screen.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/text.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/top/cells.hpp"
#include "supervisor/cli/top/painter.hpp"
#include "supervisor/cli/top/renderer.hpp"

namespace {

using namespace corral;
using namespace corral::cli;

/// "status body", or what went wrong, in one text.
std::string read_reply(std::string_view bytes, std::size_t piece) {
  ReplyReader reader;
  while (true) {
    const std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    const auto reply = reader.read(now);
    if (!reply) {
      return "!";
    }
    if (*reply) {
      return std::to_string((*reply)->status) + " " + (*reply)->body;
    }
    CORRAL_CHECK(!now.empty());  // The end of the connection ends it.
  }
}

void check_reply(std::string_view bytes, std::size_t piece) {
  CORRAL_CHECK(read_reply(bytes, piece) == read_reply(bytes, bytes.size() + 1));
}

std::vector<top::Key> read_keys(std::string_view bytes, std::size_t piece) {
  top::KeyReader reader;
  std::vector<top::Key> keys;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.read(bytes.substr(0, piece), keys);
  }
  if (reader.undecided()) {
    reader.settle(keys);
  }
  CORRAL_CHECK(!reader.undecided());
  return keys;
}

void check_line(const top::Line& line, std::size_t columns) {
  const std::string text = top::text_of(line);
  CORRAL_CHECK(top::width_of(text) <= columns);
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    const auto c = static_cast<unsigned char>(rest.front());
    CORRAL_CHECK(length > 0 && c >= 0x20 && c != 0x7f);
    CORRAL_CHECK(c != 0xc2 || static_cast<unsigned char>(rest[1]) >= 0xa0);
    rest.remove_prefix(length);
  }
}

void check_screen(std::string_view json, std::string_view keys, top::Size size) {
  top::Model model;
  for (int look = 1; look < 3; ++look) {
    if (auto sample = top::read_status(json)) {
      model.take(std::move(*sample), Instant(std::chrono::seconds(look)));
    }
    if (auto events = top::read_events(json)) {
      model.take(std::move(*events));
    }
  }
  for (const top::Key& key : read_keys(keys, keys.size() + 1)) {
    static_cast<void>(model.press(key));
  }
  model.fit(top::visible_workers(size));
  const top::Screen screen = top::paint(model, {size, true});
  CORRAL_CHECK(screen.size() == size.rows);
  for (const top::Line& line : screen) {
    check_line(line, size.columns);
  }
  top::Renderer renderer(true);
  static_cast<void>(renderer.draw(screen, size));
  CORRAL_CHECK(renderer.draw(screen, size).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t head = 4;
  if (size < head) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(data) + head, size - head);  // NOLINT: bytes as text.
  const std::size_t piece = 1U + data[1] % 17U;
  switch (data[0] % 3) {
    case 0: check_reply(rest, piece); break;
    case 1: CORRAL_CHECK(read_keys(rest, piece) == read_keys(rest, rest.size() + 1)); break;
    default: {
      const auto cut = std::min<std::size_t>(data[1] % 16U, rest.size());
      check_screen(rest.substr(cut), rest.substr(0, cut), {1U + data[2] % 40U, 1U + data[3] % 160U});
    }
  }
  return 0;
}
