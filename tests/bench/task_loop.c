// The least that can be done to run tasks: an epoll loop that reads lines from a file, sends them to workers over the task protocol,
// at most WINDOW without an answer to each, and writes a line for each answer. No supervision, no retries, nothing checked.
//
//   task_loop TASKS OUTPUT WINDOW WORKERS COMMAND...
//   task_loop --each TASKS OUTPUT WORKERS COMMAND        a process for each line, which is its argument: vfork, exec, wait
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { header_size = 16, in_size = 4 << 20, hello = 1, task = 2, result = 3, drain = 7, most_workers = 64 };

extern char** environ;

static const char* input;  // The tasks, mapped.
static size_t input_size, input_at;
static FILE* output;
static int set;
static uint64_t next_task, answered;

struct worker {
  int fd;
  uint64_t open;
  char* in;
  size_t held;
  char* out;
  size_t to_write, written, room;
  int watches_room;
} workers[most_workers];

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void header(char* at, uint32_t length, int type, uint64_t id) {
  memset(at, 0, header_size);
  memcpy(at, &length, sizeof length);
  at[4] = (char)type;
  memcpy(at + 8, &id, sizeof id);
}

/// The next line, or NULL.
static const char* next_line(size_t* size) {
  if (input_at >= input_size) return NULL;
  const char* begin = input + input_at;
  const char* end = memchr(begin, '\n', input_size - input_at);
  *size = end == NULL ? input_size - input_at : (size_t)(end - begin);
  input_at += *size + 1;
  return begin;
}

static void queue(struct worker* to, int type, uint64_t id, const char* payload, size_t size) {
  if (to->to_write + header_size + size > to->room) {
    to->room = (to->to_write + header_size + size) * 2;
    to->out = realloc(to->out, to->room);
  }
  header(to->out + to->to_write, (uint32_t)size, type, id);
  memcpy(to->out + to->to_write + header_size, payload, size);
  to->to_write += header_size + size;
}

static void watch_room(struct worker* of, int yes) {
  if (of->watches_room == yes) return;
  of->watches_room = yes;
  struct epoll_event event = {.events = EPOLLIN | (yes ? EPOLLOUT : 0), .data.u32 = (uint32_t)(of - workers)};
  epoll_ctl(set, EPOLL_CTL_MOD, of->fd, &event);
}

static void write_some(struct worker* to) {
  while (to->written < to->to_write) {
    ssize_t sent = send(to->fd, to->out + to->written, to->to_write - to->written, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return watch_room(to, 1);
    if (sent < 0) die("task_loop: send");
    to->written += (size_t)sent;
  }
  to->written = to->to_write = 0;
  watch_room(to, 0);
}

static void fill(struct worker* to, uint64_t window) {
  size_t size = 0;
  const char* line = NULL;
  while (to->open < window && (line = next_line(&size)) != NULL) {
    queue(to, task, next_task++, line, size);
    ++to->open;
  }
  write_some(to);
}

static void read_some(struct worker* from) {
  ssize_t size = recv(from->fd, from->in + from->held, in_size - from->held, MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) die("task_loop: a worker is gone");
  from->held += (size_t)size;
  size_t at = 0;
  while (from->held - at >= header_size) {
    uint32_t length;
    uint64_t id;
    memcpy(&length, from->in + at, sizeof length);
    memcpy(&id, from->in + at + 8, sizeof id);
    if (from->held - at - header_size < length) break;
    if (from->in[at + 4] == result) {
      fprintf(output, "{\"task\":%llu,\"ok\":true,\"result\":", (unsigned long long)id);
      fwrite(from->in + at + header_size, 1, length, output);
      fputs("}\n", output);
      --from->open;
      ++answered;
    }
    at += header_size + length;
  }
  memmove(from->in, from->in + at, from->held - at);
  from->held -= at;
}

static void start(struct worker* one, char** command) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) die("task_loop: socketpair");
  if (fork() == 0) {
    dup2(ends[1], 3);
    fcntl(3, F_SETFD, 0);
    setenv("CORRAL_TASK_FD", "3", 1);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
  }
  close(ends[1]);
  one->fd = ends[0];
  one->in = malloc(in_size);
  char greeting[8] = {1, 0, 0, 0, 0, 0, 0, 4};
  queue(one, hello, 0, greeting, sizeof greeting);
}

static int each(int count, char** command) {
  int running = 0;
  for (;;) {
    size_t size = 0;
    const char* line = running < count ? next_line(&size) : NULL;
    if (line != NULL) {
      char text[4096];
      memcpy(text, line, size < sizeof text ? size : sizeof text - 1);
      text[size < sizeof text ? size : sizeof text - 1] = 0;
      char* words[] = {command[0], text, NULL};
      pid_t pid = 0;
      if (posix_spawnp(&pid, words[0], NULL, NULL, words, environ) != 0) die("task_loop: spawn");
      ++running;
    } else if (running > 0) {
      int status = 0;
      wait(&status);
      --running;
      fprintf(output, "{\"task\":%llu,\"ok\":%s}\n", (unsigned long long)next_task++, status == 0 ? "true" : "false");
    } else {
      return fclose(output) == 0 ? 0 : 1;
    }
  }
}

int main(int count, char** words) {
  const int is_each = count > 1 && strcmp(words[1], "--each") == 0;
  if (count < 6) {
    fputs("usage: task_loop TASKS OUTPUT WINDOW WORKERS COMMAND... | task_loop --each TASKS OUTPUT WORKERS COMMAND\n", stderr);
    return 2;
  }
  words += is_each;
  int file = open(words[1], O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) < 0) die(words[1]);
  input_size = (size_t)status.st_size;
  input = mmap(NULL, input_size, PROT_READ, MAP_PRIVATE, file, 0);
  output = fopen(words[2], "w");
  if (input == MAP_FAILED || output == NULL) die(words[2]);
  setvbuf(output, NULL, _IOFBF, 1 << 18);
  if (is_each) return each(atoi(words[3]), words + 4);

  const uint64_t window = strtoull(words[3], NULL, 10);
  const int many = atoi(words[4]);
  if (many < 1 || many > most_workers) return 2;
  set = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < many; ++i) {
    start(&workers[i], words + 5);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(set, EPOLL_CTL_ADD, workers[i].fd, &event);
    fill(&workers[i], window);
  }
  while (answered < next_task) {
    struct epoll_event ready[most_workers];
    int n = epoll_wait(set, ready, most_workers, -1);
    for (int i = 0; i < n; ++i) {
      struct worker* one = &workers[ready[i].data.u32];
      read_some(one);
      if (one->open <= window / 2) {
        fill(one, window);
      } else {
        write_some(one);
      }
    }
  }
  for (int i = 0; i < many; ++i) {
    queue(&workers[i], drain, 0, "", 0);
    write_some(&workers[i]);
    shutdown(workers[i].fd, SHUT_WR);
  }
  while (wait(NULL) > 0) {
  }
  return fclose(output) == 0 ? 0 : 1;
}
