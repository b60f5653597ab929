// The least that answers tasks: reads 64 KiB, walks the headers, sends the answers of what it has read. What corral::worker
// is measured by. It checks nothing, knows no CANCEL, and answers every task with an empty result.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { header_size = 16, buffer_size = 64 << 10, hello = 1, task = 2, result = 3, drain = 7 };

static char in[buffer_size];
static char out[buffer_size];

int main(void) {
  const char* named = getenv("CORRAL_TASK_FD");
  if (!named) return 2;
  int fd = atoi(named);
  char greeting[header_size + 8] = {8, 0, 0, 0, hello, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4};
  if (send(fd, greeting, sizeof greeting, MSG_NOSIGNAL) < 0) return 1;
  size_t end = 0;
  for (;;) {
    ssize_t size = recv(fd, in + end, sizeof in - end, 0);
    if (size <= 0) return size < 0;
    end += (size_t)size;
    size_t at = 0;
    size_t held = 0;
    while (end - at >= header_size) {
      uint32_t length;
      memcpy(&length, in + at, sizeof length);
      if (end - at - header_size < length) break;
      if (in[at + 4] == drain) return 0;
      if (in[at + 4] == task) {
        memset(out + held, 0, 8);
        out[held + 4] = result;
        memcpy(out + held + 8, in + at + 8, 8);
        held += header_size;
      }
      at += header_size + length;
    }
    for (size_t sent = 0; sent < held;) {
      ssize_t more = send(fd, out + sent, held - sent, MSG_NOSIGNAL);
      if (more < 0) return 1;
      sent += (size_t)more;
    }
    memmove(in, in + at, end - at);
    end -= at;
  }
}
