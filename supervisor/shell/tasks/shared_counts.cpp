#include "supervisor/shell/tasks/shared_counts.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "supervisor/shell/tasks/sealed_memory.hpp"

namespace corral::shell {
namespace {

/// The counts, and a sum by which a reader sees that it has all of one writing and nothing of another.
using Words = std::array<std::uint64_t, 11>;

constexpr auto members =
    std::to_array({&core::TaskCounts::accepted, &core::TaskCounts::queued, &core::TaskCounts::in_work, &core::TaskCounts::done,
                   &core::TaskCounts::failed, &core::TaskCounts::quarantined, &core::TaskCounts::left,
                   &core::TaskCounts::cancelled, &core::TaskCounts::retries, &core::TaskCounts::dropped});
static_assert(members.size() + 1 == std::tuple_size_v<Words>);

/// FNV-1a, by words. Never that of nothing but zeros.
std::uint64_t sum_of(const Words& words) {
  std::uint64_t sum = 0xcbf29ce484222325ULL;
  for (std::size_t i = 0; i < members.size(); ++i) {
    sum = (sum ^ words[i]) * 0x100000001b3ULL;
  }
  return sum;
}

std::optional<int> named_descriptor() {
  const char* const named = std::getenv(counts_variable);  // NOLINT(concurrency-mt-unsafe): at the start there is one thread.
  if (named == nullptr) {
    return std::nullopt;
  }
  const std::string_view text(named);
  int fd = -1;
  const bool read = std::from_chars(text.data(), text.data() + text.size(), fd).ptr == text.data() + text.size();
  ::unsetenv(counts_variable);  // NOLINT(concurrency-mt-unsafe): likewise. It is for this process and not for its workers.
  return read && fd > STDERR_FILENO ? std::optional(fd) : std::nullopt;
}

}  // namespace

Result<SharedCounts> SharedCounts::make() {
  SharedCounts made;
  made.memory_ = make_sealed_memory("corral-counts", sizeof(Words));
  if (!made.memory_) {
    return system_failure("no memory to count tasks in", errno);
  }
  return made;
}

std::optional<core::TaskCounts> SharedCounts::read() const {
  constexpr int tries = 4;
  Words words{};
  for (int i = 0; i < tries; ++i) {
    if (::pread(memory_.get(), words.data(), sizeof words, 0) == sizeof words && words.back() == sum_of(words)) {
      core::TaskCounts counts;
      for (std::size_t member = 0; member < members.size(); ++member) {
        counts.*members[member] = words[member];
      }
      return counts;
    }
  }
  return std::nullopt;
}

std::optional<CountsWriter> CountsWriter::from_environment() {
  const std::optional<int> named = named_descriptor();
  if (!named) {
    return std::nullopt;
  }
  struct stat info{};
  const int seals = ::fcntl(*named, F_GET_SEALS);
  if (seals < 0 || (seals & fixed_size) != fixed_size || ::fstat(*named, &info) != 0 || info.st_size != sizeof(Words)) {
    return std::nullopt;  // Somebody else's descriptor.
  }
  const FileDescriptor ours(*named);
  void* memory = ::mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED, ours.get(), 0);
  return memory == MAP_FAILED ? std::nullopt : std::optional(CountsWriter(memory));  // NOLINT: as POSIX has it.
}

CountsWriter::CountsWriter(CountsWriter&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}

CountsWriter& CountsWriter::operator=(CountsWriter&& other) noexcept {
  std::swap(memory_, other.memory_);
  return *this;
}

CountsWriter::~CountsWriter() {
  if (memory_ != nullptr) {
    ::munmap(memory_, sizeof(Words));
  }
}

void CountsWriter::write(const core::TaskCounts& counts) {
  Words words{};
  for (std::size_t i = 0; i < members.size(); ++i) {
    words[i] = counts.*members[i];
  }
  words.back() = sum_of(words);
  auto* const shared = static_cast<std::uint64_t*>(memory_);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::atomic_ref(shared[i]).store(words[i], std::memory_order_release);
  }
}

}  // namespace corral::shell
