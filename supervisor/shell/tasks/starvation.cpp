#include "supervisor/shell/tasks/starvation.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/file_descriptor.hpp"

namespace corral::shell {
namespace {

/// The first look; then twice as late each time that nobody is found.
constexpr Duration first_pause = std::chrono::milliseconds(10);
constexpr Duration longest_pause = std::chrono::seconds(1);

std::string read_proc(std::int32_t pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> buffer{};
  const ssize_t got = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

std::string stdin_of(const std::string& pid) {
  std::array<char, 64> target{};
  const ssize_t size = ::readlink(("/proc/" + pid + "/fd/0").c_str(), target.data(), target.size());
  return {target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

/// It, or a child of it that has the same stdin: `sh -c 'jq . | cat'` only waits for the two.
bool reads_stdin(std::int32_t pid) {
  static const std::string call = std::to_string(SYS_read) + " 0x0 ";
  if (read_proc(pid, "syscall").starts_with(call)) {
    return true;
  }
  const std::string children = read_proc(pid, ("task/" + std::to_string(pid) + "/children").c_str());
  const std::string own = stdin_of(std::to_string(pid));
  for (std::size_t at = 0; at < children.size();) {
    const std::size_t end = std::min(children.find(' ', at), children.size());
    const std::string child = children.substr(at, end - at);
    at = end + 1;
    if (!child.empty() && stdin_of(child) == own && read_proc(std::atoi(child.c_str()), "syscall").starts_with(call)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Starvation::Filter* Starvation::find(Life life) {
  if (life.worker.index >= filters_.size() || filters_[life.worker.index].life != life) {
    return nullptr;
  }
  return &filters_[life.worker.index];
}

void Starvation::begin(Life life, std::int32_t pid, Instant now) {
  if (life.worker.index >= filters_.size()) {
    filters_.resize(life.worker.index + std::size_t{1});
  }
  filters_[life.worker.index] = {life, pid, 0, now};
}

void Starvation::end(Life life) {
  if (Filter* filter = find(life)) {
    owed_ -= filter->owes;
    *filter = {};
  }
}

void Starvation::answered(Life life, Instant now) {
  if (Filter* filter = find(life); filter != nullptr && filter->owes > 0) {
    --filter->owes;
    --owed_;
    filter->quiet_since = now;
  }
}

void Starvation::given(Life life, Instant now) {
  if (Filter* filter = find(life)) {
    ++filter->owes;
    ++owed_;
    filter->quiet_since = now;
    if (next_look_ == never || pause_ > first_pause) {
      pause_ = first_pause;
      next_look_ = after(now, pause_);
    }
  }
}

std::optional<Instant> Starvation::next_look() const {
  return owed_ == 0 || next_look_ == never ? std::nullopt : std::optional(next_look_);
}

std::vector<Life> Starvation::look(Instant now) {
  std::vector<Life> found;
  for (const Filter& filter : filters_) {
    const Duration quiet = now - filter.quiet_since;
    if (filter.owes > 0 && quiet >= first_pause && reads_stdin(filter.pid)) {
      found.push_back(filter.life);
    }
  }
  pause_ = std::min(pause_ * 2, longest_pause);  // Who is given something is looked at soon again.
  next_look_ = owed_ == 0 ? never : after(now, pause_);
  return found;
}

}  // namespace corral::shell
