// Feeds one worker over the task protocol and counts: what the protocol gives without a supervisor.
//
//   feeder TASKS WINDOW BYTES COMMAND...     TASKS tasks of BYTES bytes, at most WINDOW of them without an answer
//
// Writes tasks a second, and the CPU time that the worker took for a task in ns, as a line of JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { header_size = 16, buffer_size = 256 << 10, hello = 1, task = 2, result = 3, drain = 7 };

static char in[buffer_size];
static int fd;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

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

static void send_all(const char* bytes, size_t size) {
  while (size > 0) {
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) die("feeder: send");
    bytes += sent;
    size -= (size_t)sent;
  }
}

static size_t held;  // Bytes in `in`.

/// Reads once; returns how many results are whole, and drops them.
static uint64_t read_results(void) {
  ssize_t size = recv(fd, in + held, sizeof in - held, 0);
  if (size <= 0) die("feeder: recv");
  held += (size_t)size;
  size_t at = 0;
  uint64_t results = 0;
  while (held - at >= header_size) {
    uint32_t length;
    memcpy(&length, in + at, sizeof length);
    if (held - at - header_size < length) break;
    if (in[at + 4] == result) ++results;
    at += header_size + length;
  }
  memmove(in, in + at, held - at);
  held -= at;
  return results;
}

int main(int count, char** words) {
  if (count < 5) {
    fputs("usage: feeder TASKS WINDOW BYTES COMMAND...\n", stderr);
    return 2;
  }
  const uint64_t tasks = strtoull(words[1], NULL, 10);
  const uint64_t window = strtoull(words[2], NULL, 10);
  const uint32_t bytes = (uint32_t)strtoul(words[3], NULL, 10);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) die("feeder: socketpair");
  pid_t pid = fork();
  if (pid == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", ends[1]);
    setenv("CORRAL_TASK_FD", number, 1);
    close(ends[0]);
    execv(words[4], words + 4);
    perror(words[4]);
    _exit(127);
  }
  fd = ends[0];
  close(ends[1]);
  char* out = calloc(window, header_size + bytes);
  char greeting[header_size + 8] = {8, 0, 0, 0, hello, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4};
  while (held == 0 && read_results() == 0 && in[4] != hello) {
  }
  send_all(greeting, sizeof greeting);

  const double began = now();
  uint64_t sent = 0;
  uint64_t answered = 0;
  while (answered < tasks) {
    size_t size = 0;
    for (; sent < tasks && sent - answered < window; ++sent, size += header_size + bytes) header(out + size, bytes, task, sent);
    send_all(out, size);
    answered += read_results();
  }
  const double seconds = now() - began;

  char end[header_size];
  header(end, 0, drain, 0);
  send_all(end, sizeof end);
  int status = 0;
  struct rusage used;
  if (wait4(pid, &status, 0, &used) < 0 || status != 0) {
    fprintf(stderr, "feeder: the worker ended with wait status %d\n", status);
    return 1;
  }
  const double user = (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec * 1e-6;
  const double system = (double)used.ru_stime.tv_sec + (double)used.ru_stime.tv_usec * 1e-6;
  printf("{\"tasks_per_second\": %.0f, \"worker_cpu_ns\": %.1f, \"worker_user_ns\": %.1f}\n", (double)tasks / seconds,
         (user + system) * 1e9 / (double)tasks, user * 1e9 / (double)tasks);
  return 0;
}
