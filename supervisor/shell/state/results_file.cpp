#include "supervisor/shell/state/results_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace corral::state {
namespace {
constexpr std::size_t block_size = std::size_t{256} * 1024;
}

ResultsFile::ResultsFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

Error ResultsFile::other_content(std::uint64_t at) const {
  return Error{
      fmt::format(
          "the results file {} is not what the state says it should be, from byte {} on: move it away, and the same command "
          "writes all results into a new one",
          name_, at),
      EBADMSG};
}

Result<std::string_view> ResultsFile::read_ahead() {
  while (at_ == buffer_.size() && !at_end_) {
    buffer_.resize(block_size);
    const ssize_t got = ::pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return system_failure(fmt::format("cannot read the results file {}", name_), errno);
    }
    buffer_.resize(static_cast<std::size_t>(got));
    at_ = 0;
    offset_ += buffer_.size();
    at_end_ = got == 0;
  }
  return std::string_view(buffer_).substr(at_);
}

/// After a loss of power a file may be long enough and hold zeros where nothing had reached the disk.
Result<void> ResultsFile::stand_for_nothing(std::uint64_t at) {
  for (;;) {
    Result<std::string_view> rest = read_ahead();
    if (!rest) {
      return std::unexpected(std::move(rest.error()));
    }
    if (rest->empty()) {
      break;
    }
    if (rest->find_first_not_of('\0') != std::string_view::npos) {
      return std::unexpected(other_content(at));
    }
    at_ = buffer_.size();
  }
  if (::ftruncate(fd_, static_cast<off_t>(at)) != 0) {
    return system_failure(fmt::format("cannot cut the results file {}", name_), errno);
  }
  offset_ = at;
  return {};
}

Result<void> ResultsFile::expect(std::string_view bytes) {
  while (!bytes.empty() && !at_end_) {
    Result<std::string_view> there = read_ahead();
    if (!there) {
      return std::unexpected(std::move(there.error()));
    }
    const std::size_t both = std::min(there->size(), bytes.size());
    const auto differs = std::ranges::mismatch(there->substr(0, both), bytes.substr(0, both));
    const auto same = static_cast<std::size_t>(differs.in2 - bytes.begin());
    at_ += same;
    bytes.remove_prefix(same);
    if (same < both) {
      if (Result<void> empty = stand_for_nothing(offset_ - (buffer_.size() - at_)); !empty) {
        return empty;
      }
    }
  }
  mended_ += bytes.size();
  return bytes.empty() ? Result<void>() : write(bytes);
}

Result<void> ResultsFile::end_of_expected() {
  Result<std::string_view> rest = at_end_ ? std::string_view() : read_ahead();
  if (!rest) {
    return std::unexpected(std::move(rest.error()));
  }
  if (!at_end_) {
    if (Result<void> nothing = stand_for_nothing(offset_ - rest->size()); !nothing) {
      return nothing;
    }
  }
  std::string().swap(buffer_);
  at_ = 0;
  return {};
}

Result<void> ResultsFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset_));
    if (wrote > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
      offset_ += static_cast<std::uint64_t>(wrote);
    } else if (wrote == 0 || errno != EINTR) {
      Error error = system_error(fmt::format("cannot write to the results file {}", name_), wrote == 0 ? EIO : errno);
      error.message += "; nothing is lost: once that is mended the same command goes on";
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

}  // namespace corral::state
