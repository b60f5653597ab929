#include "supervisor/core/cpu_set.hpp"

#include <doctest/doctest.h>

using corral::core::CpuSet;

TEST_CASE("a list of CPUs is read as Linux writes it") {
  CHECK(CpuSet::parse("0-3,8").value() == CpuSet{0, 1, 2, 3, 8});
  CHECK(CpuSet::parse("").value().empty());
  CHECK(CpuSet::parse("\n").value().empty());
  CHECK(CpuSet::parse(" 0-2, 33 ,45\n").value() == CpuSet{0, 1, 2, 33, 45});
  CHECK(CpuSet::parse("0-14:2/4").value() == CpuSet{0, 1, 4, 5, 8, 9, 12, 13});
  CHECK(CpuSet::parse("3,1,2,1").value() == CpuSet{1, 2, 3});
  CHECK(CpuSet::parse("8191").value() == CpuSet{8191});
  CHECK(CpuSet::parse("0-8191").value().size() == 8192);
}

TEST_CASE("a bad list of CPUs is refused, and the message names the part") {
  const auto message = [](const char* list) {
    const auto set = CpuSet::parse(list);
    REQUIRE_FALSE(set.has_value());
    return set.error().message;
  };
  CHECK(message("1,x") == "'x' is not a CPU number");
  CHECK(message("-1") == "a CPU number is missing");
  CHECK(message("0-") == "a CPU number is missing");
  CHECK(message("0,,1") == "a CPU number is missing");
  CHECK(message("0,1,") == "a CPU number is missing after the last comma");
  CHECK(message("7-3") == "the range '7-3' runs backwards");
  CHECK(message("8192") == "'8192' is beyond the highest CPU number, 8191");
  CHECK(message("99999999999999999999") == "'99999999999999999999' is beyond the highest CPU number, 8191");
  CHECK(message("1.5") == "'1.5' is not a CPU number");
  CHECK(message("0-3:2") == "a stride is written as in '0-14:2/4', not ':2'");
  CHECK(message("4:1/2") == "a stride needs a range before it, as in '0-14:2/4'");
  CHECK(message("0-3:3/2") == "the stride ':3/2' must take at least 1 and at most all CPUs of each group");
  CHECK(message("0-3:0/2") == "the stride ':0/2' must take at least 1 and at most all CPUs of each group");
}

TEST_CASE("a set is written as the shortest list and read back") {
  for (const char* list : {"", "0", "0-1", "0-3,8", "0,2,4", "1-2,4-5,8191"}) {
    CHECK(CpuSet::parse(list).value().to_string() == list);
  }
}

TEST_CASE("a list that repeats itself without end stays small") {
  std::string list = "0-8191";
  for (int i = 0; i < 1000; ++i) list += ",0-8191";
  CHECK(CpuSet::parse(list).value().size() == 8192);
}

TEST_CASE("sets combine") {
  const CpuSet left{0, 1, 2, 5}, right{1, 5, 9};
  CHECK(left.intersection(right) == CpuSet{1, 5});
  CHECK(left.difference(right) == CpuSet{0, 2});
  CHECK(left.united(right) == CpuSet{0, 1, 2, 5, 9});
  CHECK(left.contains(5));
  CHECK_FALSE(left.contains(3));
  CpuSet grown{4};
  grown.insert(2);
  grown.insert(4);
  CHECK(grown == CpuSet{2, 4});
}
