#include <doctest/doctest.h>

#include "supervisor/cli/top/keys.hpp"

namespace corral::cli::top {
namespace {

using Keys = std::vector<Key>;
using Kind = Key::Kind;

Keys read(std::string_view bytes) {
  KeyReader reader;
  Keys keys;
  reader.read(bytes, keys);
  if (reader.undecided()) {
    reader.settle(keys);
  }
  return keys;
}

TEST_CASE("letters, and characters of several bytes") {
  CHECK(read("qé") == Keys{{Kind::text, "q"}, {Kind::text, "é"}});
  CHECK(read("\r\n\x7f\b") == Keys{{Kind::enter}, {Kind::enter}, {Kind::backspace}, {Kind::backspace}});
}

TEST_CASE("arrows in both modes of a terminal, and its neighbours") {
  CHECK(read("\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~") ==
        Keys{{Kind::up}, {Kind::down}, {Kind::page_up}, {Kind::page_down}, {Kind::home}, {Kind::end}});
}

TEST_CASE("a sequence in pieces is the same") {
  const std::string_view bytes = "a\x1b[5~\xc3\xa9\x1b[Bz";
  Keys keys;
  KeyReader reader;
  for (const char byte : bytes) {
    reader.read(std::string_view(&byte, 1), keys);
  }
  CHECK(keys == read(bytes));
  CHECK(keys.size() == 5);
}

TEST_CASE("what is too long for a sequence is cut at the same place, whole or in pieces") {
  const std::string bytes = "\x1b[" + std::string(40, '1') + "A";
  Keys keys;
  KeyReader reader;
  for (const char byte : bytes) {
    reader.read(std::string_view(&byte, 1), keys);
  }
  CHECK(keys == read(bytes));
  CHECK(keys.size() == 9);
}

TEST_CASE("Escape alone is told from a sequence by silence") {
  KeyReader reader;
  Keys keys;
  reader.read("\x1b", keys);
  CHECK(keys.empty());
  CHECK(reader.undecided());
  reader.settle(keys);
  CHECK(keys == Keys{{Kind::escape}});
  CHECK_FALSE(reader.undecided());
  CHECK(read("\x1b\x1b") == Keys{{Kind::escape}, {Kind::escape}});
}

TEST_CASE("what no key sends is dropped") {
  CHECK(read("\x1b[200~x") == Keys{{Kind::text, "x"}});
  CHECK(read("\x1b[1;5Cx") == Keys{{Kind::text, "x"}});
  CHECK(read("\x1bx") == Keys{});
  CHECK(read("\xff\xc3x") == Keys{{Kind::text, "x"}});
  CHECK(read(std::string_view("\0\x01", 2)) == Keys{});
  CHECK(read("\x1b[\x01x") == Keys{{Kind::text, "x"}});
}

}  // namespace
}  // namespace corral::cli::top
