#include "supervisor/cli/server_sent.hpp"

#include <doctest/doctest.h>

using corral::cli::ServerSent;
using Texts = std::vector<std::string>;

TEST_CASE("events are the same however they are cut") {
  const std::string text = ": hello\nid: 1\ndata: {\"a\":1}\n\nid: 2\n\ndata:x\ndata: y\n\ndata: unfinished\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    ServerSent reader;
    Texts all;
    for (std::size_t at = 0; at < text.size(); at += size) {
      for (std::string& event : reader.read(std::string_view(text).substr(at, size))) {
        all.push_back(std::move(event));
      }
    }
    CHECK(all == Texts{R"({"a":1})", "x\ny"});
  }
}
