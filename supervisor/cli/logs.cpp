// corral logs: what workers wrote into their files, several of them side by side, followed across rotation.
#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <poll.h>
#include <regex.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <queue>
#include <set>

#include "common/base/file_descriptor.hpp"
#include "common/base/text.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/configuration.hpp"
#include "supervisor/cli/control_commands.hpp"
#include "supervisor/cli/log_sources.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/shell/disk/config_file.hpp"
#include "supervisor/shell/logs/format.hpp"
#include "supervisor/shell/logs/log_reader.hpp"

namespace corral::cli {
namespace {

constexpr std::size_t enough = std::size_t{64} * 1024;

/// Without inotify, and where it does not tell (a network file system), files are looked at so often.
constexpr int between_looks_ms = 500;

constexpr std::array<std::string_view, 6> colours{"\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m", "\x1b[31m"};

/// An extended regular expression. Lines are bytes, and may hold NUL.
class Pattern {
 public:
  Pattern() = default;
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern() {
    if (good_) {
      ::regfree(&compiled_);
    }
  }

  [[nodiscard]] Result<void> compile(const std::string& text, bool ignore_case) {
    const int error = ::regcomp(&compiled_, text.c_str(), REG_EXTENDED | (ignore_case ? REG_ICASE : 0));
    if (error != 0) {
      std::array<char, 256> why{};
      ::regerror(error, &compiled_, why.data(), why.size());
      return failure(fmt::format("--grep '{}' is no regular expression: {}", text, why.data()));
    }
    good_ = true;
    return {};
  }

  [[nodiscard]] bool is_in(std::string_view line) const {
    regmatch_t range{};
    range.rm_eo = static_cast<regoff_t>(line.size());
    return ::regexec(&compiled_, line.data(), 1, &range, REG_STARTEND) == 0;
  }

 private:
  regex_t compiled_{};
  bool good_ = false;
};

/// As a terminal may see it: control characters are shown and do nothing. A tabulator is none.
void append_visible(std::string& out, std::string_view text) {
  const Escapes escapes = text.starts_with("{\"") ? Escapes::of_json : Escapes::of_bytes;
  while (!text.empty()) {
    const std::size_t tab = text.find('\t');
    append_printable(out, text.substr(0, tab), escapes);
    if (tab == std::string_view::npos) {
      return;
    }
    out += '\t';
    text.remove_prefix(tab + 1);
  }
}

class View {
 public:
  View(const LogsOptions& options, bool several)
      : raw_(options.raw), several_(several), coloured_(wants_colour(options.colour, STDOUT_FILENO)) {}

  void show(const LogSource& source, std::string_view line) {
    if (several_ && !source.has_names) {
      const bool goes_on = line.size() == piece_size && line.ends_with('\\');
      line.remove_suffix(goes_on ? 1 : 0);
      buffer_ += coloured_ ? colours[source.colour % colours.size()] : "";
      buffer_.append(source.label).append(goes_on ? " > " : " | ");
      buffer_ += coloured_ ? "\x1b[0m" : "";
    }
    if (raw_) {
      buffer_ += line;
    } else {
      append_visible(buffer_, line);
    }
    buffer_ += '\n';
    if (buffer_.size() >= enough) {
      flush();
    }
  }

  void flush() {
    for (std::string_view rest = buffer_; !rest.empty() && !gone_;) {
      const ssize_t wrote = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (wrote >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(wrote));
      } else if (errno != EINTR) {
        gone_ = true;
        error_ = errno;
      }
    }
    buffer_.clear();
  }

  [[nodiscard]] bool gone() const { return gone_; }
  [[nodiscard]] int error() const { return error_ == EPIPE ? 0 : error_; }

 private:
  static constexpr std::size_t piece_size = (std::size_t{64} * 1024) + 1;  ///< See supervisor/shell/logs/format.hpp.
  bool raw_;
  bool several_;
  bool coloured_;
  std::string buffer_;
  bool gone_ = false;
  int error_ = 0;
};

struct Stream {
  LogSource source;
  logs::LogReader reader;
  logs::LogLine line{};
};
using Streams = std::vector<std::unique_ptr<Stream>>;

void tell_of_gap(Stream& stream) {
  if (stream.reader.take_gap()) {
    tell(fmt::format("corral: some lines of '{}' are not shown: its files came and went faster than they were read\n",
                     stream.reader.path()));
  }
}

/// What was there, in the order of its time as far as lines have one; not what is written meanwhile.
void show_past(Streams& streams, View& view) {
  const auto later = [&](std::size_t left, std::size_t right) {
    return std::pair(streams[left]->line.time_ms, left) > std::pair(streams[right]->line.time_ms, right);
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
  std::vector<std::size_t> left;
  const auto take = [&](std::size_t i) {
    if (left[i] > 0 && streams[i]->reader.next(streams[i]->line)) {
      --left[i];
      next.push(i);
    }
  };
  for (std::size_t i = 0; i < streams.size(); ++i) {
    left.push_back(streams[i]->reader.past());
    take(i);
  }
  while (!next.empty() && !view.gone()) {
    const std::size_t first = next.top();
    next.pop();
    view.show(streams[first]->source, streams[first]->line.text);
    take(first);
  }
  view.flush();
}

class Watch {
 public:
  explicit Watch(const Streams& streams) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    for (const auto& stream : streams) {
      folders_.insert(logs::split_path(stream->source.path).folder);
    }
    watch_folders();
  }

  /// Until something has happened, or a while. False when nobody reads what is shown any more.
  bool wait() {
    std::array<pollfd, 2> ready{pollfd{fd_.get(), POLLIN, 0}, pollfd{STDOUT_FILENO, 0, 0}};
    ::poll(ready.data(), ready.size(), between_looks_ms);
    std::array<char, 4096> events{};
    while (fd_ && ::read(fd_.get(), events.data(), events.size()) > 0) {
    }
    watch_folders();
    return (ready[1].revents & (POLLERR | POLLHUP)) == 0;
  }

 private:
  /// Also those that have been made since, or made again.
  void watch_folders() {
    constexpr std::uint32_t what = IN_MODIFY | IN_CREATE | IN_MOVED_TO;
    for (const std::string& folder : fd_ ? folders_ : std::set<std::string>{}) {
      ::inotify_add_watch(fd_.get(), folder.c_str(), what);
    }
  }

  FileDescriptor fd_;
  std::set<std::string> folders_;
};

void follow(Streams& streams, View& view) {
  Watch watch(streams);
  do {
    for (const auto& stream : streams) {
      while (!view.gone() && stream->reader.next(stream->line)) {
        view.show(stream->source, stream->line.text);
      }
      tell_of_gap(*stream);
    }
    view.flush();
  } while (!view.gone() && watch.wait());
}

bool is_of(const std::vector<std::string>& workers, std::string_view line) {
  const std::string worker(worker_in(line));
  return workers.empty() || std::ranges::any_of(workers, [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), worker.c_str(), 0) == 0;
         });
}

logs::Wanted wanted_of(const LogSource& source, const LogsOptions& options, const Pattern& pattern) {
  logs::Wanted wanted;
  wanted.last = options.last;
  if (options.since) {
    wanted.since_ms = logs::wall_ms() - std::chrono::duration_cast<std::chrono::milliseconds>(*options.since).count();
  }
  if (!options.grep.empty() || !source.of_workers.empty()) {
    wanted.keep = [&pattern, workers = source.of_workers, greps = !options.grep.empty()](std::string_view line) {
      return is_of(workers, line) && (!greps || pattern.is_in(line));
    };
  }
  return wanted;
}

/// The configuration's words alone: what it starts need not be here, and nobody asks how many cores there are.
Result<core::SupervisorSpec> read_spec(const std::string& path) {
  Result<std::string> text = disk::read_config_file(path);
  if (!text) {
    return std::unexpected(text.error());
  }
  auto loaded = config::parse({path, std::move(*text)}, own_environment);
  if (!loaded) {
    return failure(config::in_one_line(loaded.error().front()));
  }
  place_files(loaded->spec, path);
  return std::move(loaded->spec);
}

}  // namespace

int logs(const LogsOptions& options) {
  if (options.reopen) {
    Change reopen;
    reopen.kind = Change::Kind::reopen_logs;
    reopen.whose = options.whose;
    return change(reopen);
  }
  const Result<std::string> path = find_configuration_of(options.whose);
  const Result<core::SupervisorSpec> spec = path ? read_spec(*path) : std::unexpected(path.error());
  if (!spec) {
    return complain(spec.error());
  }
  Result<std::vector<LogSource>> sources = find_logs(*spec, options.workers, *path);
  if (!sources) {
    return complain(sources.error());
  }
  Pattern pattern;
  if (!options.grep.empty()) {
    if (const Result<void> compiled = pattern.compile(options.grep, options.ignore_case); !compiled) {
      return complain(compiled.error());
    }
  }
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  View view(options, sources->size() > 1);
  Streams streams;
  for (LogSource& source : *sources) {
    logs::LogReader reader(source.path, wanted_of(source, options, pattern));
    streams.push_back(std::make_unique<Stream>(std::move(source), std::move(reader)));
  }
  show_past(streams, view);
  if (options.follow) {
    follow(streams, view);
  }
  return view.error() == 0 ? 0 : complain(system_error("cannot write to stdout", view.error()));
}

}  // namespace corral::cli
