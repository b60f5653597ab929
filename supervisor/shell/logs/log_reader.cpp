#include "supervisor/shell/logs/log_reader.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "supervisor/shell/logs/rotation.hpp"

namespace corral::logs {
namespace {

constexpr std::uint32_t most_older = 100'000;

/// A large file's last lines are looked for at its end first.
constexpr std::uint64_t end_of_file = std::uint64_t{4} << 20U;

}  // namespace

LogReader::LogReader(std::string path, Wanted wanted) : path_(std::move(path)), wanted_(std::move(wanted)) {
  past_ = open_all(wanted_.last);
  begun_ = !files_.empty();
}

/// All files that it takes to tell the last `left` lines, each where they begin; and how many those are, SIZE_MAX for all. What
/// is put aside or compressed meanwhile would be found twice, or at the wrong place: then it is looked at again.
std::size_t LogReader::open_all(std::size_t left) {
  const auto current = [&] {
    struct stat status{};
    return ::stat(path_.c_str(), &status) == 0 ? std::pair(status.st_dev, status.st_ino) : std::pair<dev_t, ino_t>();
  };
  constexpr int most_looks = 10;  // Where files go faster than that, what is found has to do.
  std::size_t found = 0;
  for (int look = 0; look < most_looks; ++look) {
    files_.clear();
    const auto before = current();
    found = open_each(left);
    if (current() == before) {
      break;
    }
  }
  return found;
}

std::size_t LogReader::open_each(std::size_t left) {
  const std::size_t wanted = left;
  if (auto file = FileLines::open(path_, false)) {
    left -= find_begin(*file, left);
    files_.push_back(std::move(file));
  }
  for (std::uint32_t number = 1; left > 0 && number < most_older; ++number) {
    const std::optional<Old> old = older(number);
    auto file = old ? FileLines::open(old->path, old->compressed) : nullptr;
    if (!file || (wanted_.since_ms && file->changed_ms() < *wanted_.since_ms)) {
      break;
    }
    const bool seen = std::ranges::any_of(files_, [&](const auto& one) { return one->is(file->device(), file->inode()); });
    if (!seen) {  // Otherwise it has been put aside between two looks.
      left -= find_begin(*file, left);
      files_.push_back(std::move(file));
    }
  }
  return wanted == SIZE_MAX ? SIZE_MAX : wanted - left;
}

std::optional<LogReader::Old> LogReader::older(std::uint32_t number) const {
  for (const bool compressed : {true, false}) {
    std::string name = older_name(path_, number, compressed);
    if (::access(name.c_str(), F_OK) == 0) {
      return Old{std::move(name), compressed};
    }
  }
  return std::nullopt;
}

bool LogReader::keeps(const LogLine& line) const {
  // A mark stands for the second that it begins.
  const std::int64_t until = time_in(line.text) ? line.time_ms : line.time_ms + mark_length_ms;
  return (!wanted_.since_ms || line.time_ms == 0 || until > *wanted_.since_ms) && (!wanted_.keep || wanted_.keep(line.text));
}

/// Goes to where the last `wanted` lines of the file begin that are to be told, and says how many they are.
std::size_t LogReader::find_begin(FileLines& file, std::size_t wanted) const {
  if (wanted == SIZE_MAX) {
    return 0;
  }
  const auto look_from = [&](std::uint64_t begin) {
    file.go_to(begin);
    LogLine line;
    if (begin > 0) {
      static_cast<void>(file.next(line));  // Half of one.
    }
    std::deque<std::uint64_t> begins;
    for (std::uint64_t at = file.offset(); file.next(line); at = file.offset()) {
      if (keeps(line)) {
        begins.push_back(at);
        if (begins.size() > wanted) {
          begins.pop_front();
        }
      }
    }
    return begins;
  };
  std::deque<std::uint64_t> begins;
  const bool large = !file.compressed() && file.size() > end_of_file;
  if (large) {
    begins = look_from(file.size() - end_of_file);
  }
  if (!large || begins.size() < wanted) {
    begins = look_from(0);
  }
  if (wanted == 0 || begins.empty()) {
    return 0;  // It stands at its end.
  }
  file.go_to(begins.front());
  return begins.size();
}

bool LogReader::next(LogLine& line) {
  do {
    while (!files_.empty() && files_.back()->next(line)) {
      if (keeps(line)) {
        line.time_ms = last_time_ms_ = std::max(line.time_ms, last_time_ms_);
        return true;
      }
    }
  } while (move_on());
  return false;
}

/// The file that is read is at its end: to the one after it, if there is one.
bool LogReader::move_on() {
  if (files_.size() > 1) {
    files_.pop_back();
    return true;
  }
  if (files_.empty()) {
    // What has come to be since there was nothing may have been put aside already.
    static_cast<void>(open_all(begun_ ? 0 : SIZE_MAX));
    if (begun_ && !files_.empty()) {
      files_.back()->go_to(0);
    }
    begun_ = begun_ || !files_.empty();
    return !files_.empty();
  }
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) {
    return false;
  }
  FileLines& file = *files_.back();
  if (file.is(status.st_dev, status.st_ino)) {
    if (static_cast<std::uint64_t>(status.st_size) < file.offset()) {
      file.go_to(0);  // Somebody has cut it.
      return status.st_size > 0;
    }
    return false;
  }
  // It was put aside, after which nobody writes to it any more; but until then somebody may have.
  LogLine line;
  const std::uint64_t at = file.offset();
  if (file.next(line)) {
    file.go_to(at);
    return true;
  }
  auto follower = follower_of(file);
  files_.clear();
  if (follower) {
    files_.push_back(std::move(follower));
  }
  return true;
}

std::unique_ptr<FileLines> LogReader::follower_of(const FileLines& file) {
  const auto is_now = [&](std::uint32_t number) {
    struct stat status{};
    return ::stat(older_name(path_, number, false).c_str(), &status) == 0 && file.is(status.st_dev, status.st_ino);
  };
  for (std::uint32_t number = 1; number < most_older && older(number); ++number) {
    if (!is_now(number)) {
      continue;
    }
    const std::optional<Old> next = number > 1 ? older(number - 1) : Old{path_, false};
    auto opened = next ? FileLines::open(next->path, next->compressed) : nullptr;
    if (opened && is_now(number)) {
      return opened;
    }  // Otherwise they have moved on meanwhile, and it is found a little further on.
  }
  gap_ = gap_ || !file.is_kept();  // Where another program has put it aside, by a name of its own, what was begun then follows.
  return FileLines::open(path_, false);
}

}  // namespace corral::logs
