// What there is to know of capturing lines: a worker that writes them, and the least that takes them into a rotated file.
//
//   log_loop write COUNT                       COUNT lines of 100 bytes to stdout, as a worker with a buffer does
//   log_loop take FILE SIZE KEEP COMMAND…      runs COMMAND, and moves what it writes into FILE: read, write, nothing else
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { line_size = 100, buffer_size = 65536 };

static int write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    const ssize_t wrote = write(fd, bytes, size);
    if (wrote < 0) {
      return -1;
    }
    bytes += wrote;
    size -= (size_t)wrote;
  }
  return 0;
}

static int write_lines(long count) {
  static char buffer[buffer_size / line_size * line_size];
  memset(buffer, 'x', sizeof buffer);
  long number = 0;
  while (number < count) {
    size_t used = 0;
    for (; used < sizeof buffer && number < count; used += line_size, ++number) {
      char digits[16];
      memcpy(buffer + used, digits, (size_t)snprintf(digits, sizeof digits, "%010ld ", number));
      buffer[used + line_size - 1] = '\n';
    }
    if (write_all(1, buffer, used) != 0) {
      return 1;
    }
  }
  return 0;
}

static int begin(const char *path) { return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640); }

static void put_aside(const char *path, int keep) {
  char from[4096], to[4096];
  for (int number = keep; number > 0; --number) {
    snprintf(to, sizeof to, "%s.%d", path, number);
    snprintf(from, sizeof from, number > 1 ? "%s.%d" : "%s", path, number - 1);
    rename(from, to);
  }
}

static int take(const char *path, long size, int keep, char **command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return 1;
  }
  if (vfork() == 0) {
    dup2(ends[1], 1);
    execv(command[0], command);
    _exit(127);
  }
  close(ends[1]);
  static char buffer[buffer_size];
  int file = begin(path);
  long used = 0;
  ssize_t got;
  while ((got = read(ends[0], buffer, sizeof buffer)) > 0) {
    if (used + got > size) {
      close(file);
      put_aside(path, keep);
      file = begin(path);
      used = 0;
    }
    if (write_all(file, buffer, (size_t)got) != 0) {
      return 1;
    }
    used += got;
  }
  wait(NULL);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "write") == 0) {
    return write_lines(atol(argv[2]));
  }
  if (argc > 5 && strcmp(argv[1], "take") == 0) {
    return take(argv[2], atol(argv[3]), atoi(argv[4]), argv + 5);
  }
  return 2;
}
