// Counts the primes of an interval: a task is "FROM TO" (or just "TO"), its result the number of primes p with FROM <= p < TO.
//
//     seq 0 1000000 99000000 | awk '{print $1, $1 + 1000000}' | corral map - -- ./primes
//     echo 100 | ./primes
//
// A sieve, segment by segment. Between two of them it says that it gets on, and asks whether it still should.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <corral/worker.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using corral::worker::Failure;
using corral::worker::Task;

constexpr std::uint64_t segment_size = std::uint64_t{1} << 18U;
constexpr std::uint64_t highest = std::uint64_t{1} << 50U;  // Above it the sieving primes alone would take 256 MiB and more.

struct Interval {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size() || number > highest) {
    throw std::invalid_argument("'" + std::string(text) + "' is no number from 0 to 2^50");
  }
  return number;
}

/// "FROM TO" or "TO", also as a JSON string or list of numbers: quotes, brackets and commas count as blanks.
Interval parse(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  constexpr std::string_view blanks = " \t\r\",[]";
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string_view::npos; at = text.find_first_not_of(blanks, at)) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    numbers.push_back(parse_number(text.substr(at, end - at)));
    at = end;
  }
  if (numbers.size() == 1) return {0, numbers[0]};
  if (numbers.size() == 2) return {numbers[0], numbers[1]};
  throw std::invalid_argument("a task is 'FROM TO' or 'TO'");
}

/// The primes p with p * p < end.
std::vector<std::uint64_t> sieving_primes(std::uint64_t end) {
  std::vector<std::uint64_t> primes;
  std::vector<bool> composite;
  std::uint64_t size = 2;
  while (size * size < end) ++size;
  composite.resize(size);
  for (std::uint64_t p = 2; p < size; ++p) {
    if (composite[p]) continue;
    primes.push_back(p);
    for (std::uint64_t multiple = p * p; multiple < size; multiple += p) composite[multiple] = true;
  }
  return primes;
}

std::uint64_t count_segment(Interval segment, const std::vector<std::uint64_t>& primes, std::vector<char>& composite) {
  composite.assign(segment.to - segment.from, 0);
  for (const std::uint64_t p : primes) {
    if (p * p >= segment.to) break;
    const std::uint64_t first = std::max(p * p, (segment.from + p - 1) / p * p);
    for (std::uint64_t multiple = first; multiple < segment.to; multiple += p) composite[multiple - segment.from] = 1;
  }
  return static_cast<std::uint64_t>(std::count(composite.begin(), composite.end(), 0));
}

std::string count_primes(Task& task) {
  using Clock = std::chrono::steady_clock;
  const Interval whole = parse(task.payload());
  const std::vector<std::uint64_t> primes = sieving_primes(whole.to);
  std::vector<char> composite;
  std::uint64_t count = 0;
  auto said = Clock::now();
  for (std::uint64_t at = std::max<std::uint64_t>(whole.from, 2); at < whole.to; at += segment_size) {
    if (task.cancelled()) throw Failure("Cancelled", "stopped at " + std::to_string(at));
    if (Clock::now() - said > std::chrono::seconds(1)) {
      said = Clock::now();
      task.progress();
    }
    count += count_segment({at, std::min(at + segment_size, whole.to)}, primes, composite);
  }
  return std::to_string(count);
}

}  // namespace

int main() { return corral::worker::serve(count_primes, {.name = "primes"}); }
