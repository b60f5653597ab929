// The splitters of workers' output against whatever libFuzzer thinks of, cut into pieces in whatever way.
//
// The first byte decides how the rest is cut; the second one how often the rest is repeated, so that lines grow beyond the
// bound. What must hold: no crash, no sanitizer's report; the bytes are those that came in; the lines and pieces are those of a
// reader that has all bytes at once and nothing to be clever about, and the same from both splitters.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.hpp"
#include "common/wire/block_splitter.hpp"
#include "common/wire/line_splitter.hpp"

namespace {

using corral::wire::longest_line;
using Lines = std::vector<std::pair<std::string, bool>>;

Lines split_simply(std::string_view bytes) {
  Lines lines;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    while (line.size() > longest_line) {
      lines.emplace_back(line.substr(0, longest_line), true);
      line.remove_prefix(longest_line);
    }
    lines.emplace_back(line, false);
    bytes.remove_prefix(std::min(bytes.size(), end + 1));
  }
  return lines;
}

void add_block(Lines& lines, std::string_view block, bool goes_on) {
  CORRAL_CHECK(!block.empty());
  CORRAL_CHECK(!goes_on || (block.size() == longest_line && block.find('\n') == std::string_view::npos));
  while (!block.empty()) {
    const std::size_t end = std::min(block.find('\n'), block.size());
    CORRAL_CHECK(end <= longest_line);
    lines.emplace_back(block.substr(0, end), goes_on);
    block.remove_prefix(std::min(block.size(), end + 1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) {
    return 0;
  }
  const std::string_view seed(reinterpret_cast<const char*>(data) + 2, size - 2);  // NOLINT
  std::string bytes;
  for (unsigned times = 0; times <= data[1] % 16U * 256U && bytes.size() < 4 * longest_line; ++times) {
    bytes += seed;
  }
  const std::size_t cut = data[0] == 0 ? bytes.size() : std::size_t{data[0]} * data[0];

  corral::wire::BlockSplitter blocks;
  corral::wire::LineSplitter lines;
  std::string same;
  Lines from_blocks;
  Lines from_lines;
  const auto take_block = [&](std::string_view block, bool goes_on) {
    same += block;
    add_block(from_blocks, block, goes_on);
  };
  const auto take_line = [&](std::string_view line, bool goes_on) { from_lines.emplace_back(line, goes_on); };
  for (std::size_t at = 0; at < bytes.size(); at += cut) {
    const std::string_view piece = std::string_view(bytes).substr(at, cut);
    blocks.feed(piece, take_block);
    lines.feed(piece, take_line);
  }
  blocks.finish(take_block);
  lines.finish(take_line);
  const Lines expected = split_simply(bytes);
  CORRAL_CHECK(same == bytes);
  CORRAL_CHECK(from_blocks == expected);
  CORRAL_CHECK(from_lines == expected);
  return 0;
}
