#include "supervisor/shell/tasks/channels.hpp"

#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>

namespace corral::shell {
namespace {

constexpr std::size_t channel_read_size = std::size_t{256} * 1024;
constexpr int batch = 64;
constexpr std::uint64_t for_room = 1;  ///< In the key of the epoll set: this is the write end.

}  // namespace

Result<Channels> Channels::open(TaskMode mode, std::size_t longest, MessageSink sink) {
  Channels channels(mode, longest, std::move(sink));
  channels.set_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!channels.set_) {
    return system_failure("cannot watch the workers' tasks", errno);
  }
  channels.buffer_.resize(channel_read_size);
  return channels;
}

Channels::Entry* Channels::find(Life life) {
  if (life.worker.index >= entries_.size()) {
    return nullptr;
  }
  Entry& entry = entries_[life.worker.index];
  return entry.channel && entry.channel->life() == life ? &entry : nullptr;
}

Result<WorkerEnds> Channels::connect(Life life) {
  auto channel = mode_ == TaskMode::frames  ? open_frame_channel(life, longest_)
                 : mode_ == TaskMode::lines ? open_line_channel(life, longest_)
                                            : open_output_channel(life, longest_);
  if (!channel) {
    return std::unexpected(std::move(channel.error()));
  }
  if (life.worker.index >= entries_.size()) {
    entries_.resize(life.worker.index + std::size_t{1});
  }
  Entry& entry = entries_[life.worker.index];
  entry.channel = std::move(*channel);
  entry.watched = entry.watching_room = false;
  watch(entry, false);
  return entry.channel->ends();
}

/// Watches for input always, and for room where `room` asks for it.
void Channels::watch(Entry& entry, bool room) {
  const Channel& channel = *entry.channel;
  const std::uint64_t key = std::uint64_t{channel.life().worker.index} << 1U;
  epoll_event event{};
  event.data.u64 = key;
  event.events = EPOLLIN;
  const bool one_descriptor = channel.read_end() == channel.write_end();
  if (one_descriptor) {
    event.events |= room ? EPOLLOUT : 0U;
  }
  if (!entry.watched || (one_descriptor && room != entry.watching_room)) {
    ::epoll_ctl(set_.get(), entry.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, channel.read_end(), &event);
    entry.watched = true;
  }
  if (!one_descriptor && room != entry.watching_room && channel.write_end() >= 0) {
    event.events = EPOLLOUT;
    event.data.u64 = key | for_room;
    ::epoll_ctl(set_.get(), room ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, channel.write_end(), &event);
  }
  entry.watching_room = room;
}

void Channels::launched(Life life) {
  if (Entry* entry = find(life)) {
    entry->channel->launched();
  }
}

void Channels::touch(Entry& entry) {
  if (!std::exchange(entry.dirty, true)) {
    dirty_.push_back(entry.channel->life().worker.index);
  }
}

void Channels::deliver(Life life, core::TaskId task, std::string_view payload) {
  if (Entry* entry = find(life)) {
    entry->channel->deliver(task, payload);
    touch(*entry);
  }
}

void Channels::recall(Life life, core::TaskId task) {
  if (Entry* entry = find(life)) {
    entry->channel->recall(task);
    touch(*entry);
  }
}

void Channels::close_input(Life life) {
  if (Entry* entry = find(life)) {
    entry->channel->close_input();
    touch(*entry);
  }
}

void Channels::flush() {
  for (const std::uint32_t index : std::exchange(dirty_, {})) {
    Entry& entry = entries_[index];
    entry.dirty = false;
    if (!entry.channel) {
      continue;
    }
    for (const core::TaskId task : entry.channel->take_refused()) {
      constexpr std::string_view why = R"({"type":"TaskTooLong","message":"longer than what its worker takes","traceback":""})";
      sink_(entry.channel->life(), {Message::Kind::answered, task, core::Answer::error, why});
    }
    write(entry);
  }
}

void Channels::write(Entry& entry) {
  const int before = entry.channel->write_end();
  const bool open = entry.channel->flush();
  if (before >= 0 && entry.channel->write_end() < 0) {
    entry.watching_room = false;  // Closed, and with that forgotten by the epoll set.
    return;
  }
  watch(entry, open && entry.channel->has_to_write());
}

void Channels::read(Entry& entry) {
  if (!entry.channel->read_some(buffer_, sink_)) {
    // The end of it, which a death follows, or should: nothing more is to be seen here.
    ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, entry.channel->read_end(), nullptr);
    sink_(entry.channel->life(), {Message::Kind::closed, {}, {}, {}});
  } else if (entry.channel->has_to_write()) {
    touch(entry);  // It was greeted back.
  }
  if (entry.channel && entry.dirty) {
    write(entry);  // It goes on while the next one's answers are read.
  }
}

bool Channels::take_ready() {
  std::array<epoll_event, batch> events{};
  const int count = ::epoll_wait(set_.get(), events.data(), batch, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Entry& entry = entries_[event.data.u64 >> 1U];
    if (!entry.channel) {
      continue;
    }
    if ((event.events & EPOLLOUT) != 0 || (event.data.u64 & for_room) != 0) {
      touch(entry);
    }
    if ((event.data.u64 & for_room) == 0 && (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
      read(entry);
    }
  }
  return count == batch;
}

/// What a dead process has written lies in the kernel: no more than fits there. What others that hold its channel write
/// meanwhile is not waited for.
Channels::Rest Channels::finish(Life life) {
  Entry* entry = find(life);
  if (entry == nullptr) {
    return {};
  }
  constexpr int most_reads = 64;
  entry->channel->launched();
  for (int reads = 0; reads < most_reads && entry->channel->read_some(buffer_, sink_); ++reads) {
    pollfd more{entry->channel->read_end(), POLLIN, 0};
    if (::poll(&more, 1, 0) <= 0) {
      break;
    }
  }
  Rest rest{entry->channel->take_output(), entry->channel->has_miscounted(), entry->channel->marked()};
  entry->channel.reset();
  return rest;
}

std::optional<core::TaskId> Channels::marked(Life life) {
  const Entry* entry = find(life);
  return entry == nullptr ? std::nullopt : entry->channel->marked();
}

}  // namespace corral::shell
