// The worker of the bench: notes when its first instruction ran, then does what its argument says.
//
// No C library and no start-up code, so that "its first instruction" is just that and a start costs the same under
// every supervisor. Its one argument is MODE:INDEX:FILE, one word because the first line of a script can carry only one.
//   w  note the start and wait for ever
//   x  note the start and exit
//   t  note the start, wait for SIGTERM, note that too and exit
//   e  note the time in the header and become the command that follows: the start line of a supervisor under test
// FILE holds 64-byte records, a header and one for each worker; slots.py reads it.
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <linux/unistd.h>

struct header {
  unsigned long long exec_ns;
  unsigned long long unused[7];
};

struct slot {
  unsigned long long start_ns;
  unsigned long long handler_ns;
  unsigned int pid;
  unsigned int starts;  // Written last: whoever sees it grow may read the rest.
  unsigned long long unused[5];
};

#if defined(__x86_64__)
__asm__(
    ".globl _start\n_start:\n"
    "  mov %rsp, %rdi\n  and $-16, %rsp\n  call enter\n  hlt\n");

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n_start:\n"
    "  mov x0, sp\n  bl enter\n  brk #1\n");

static long call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "worker.c knows x86_64 and aarch64; this machine needs its _start and its system call here"
#endif

static unsigned long long now(void) {
  struct {
    long seconds, nanoseconds;
  } time;
  call(__NR_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
  return (unsigned long long)time.seconds * 1000000000ULL + (unsigned long long)time.nanoseconds;
}

static void leave(int status) {
  for (;;) call(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

static struct slot* mine;

static void on_term(int signal) {
  unsigned long long at = now();
  (void)signal;
  mine->handler_ns = at;
  leave(0);
}

static void catch_term(void) {
  // The kernel's own layout. The handler never returns, so the restorer only has to be there.
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(int);
    unsigned long mask;
  } action = {on_term, 0x04000000 /* SA_RESTORER */, on_term, 0};
  call(__NR_rt_sigaction, SIGTERM, (long)&action, 0, 8, 0, 0);
}

static unsigned char* map(const char* path, unsigned long bytes) {
  long fd = call(__NR_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) leave(111);
  long at = call(__NR_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at < 0 && at > -4096) leave(112);
  call(__NR_close, fd, 0, 0, 0, 0, 0);
  return (unsigned char*)at;
}

__attribute__((noreturn, used)) void enter(long* stack) {
  unsigned long long started = now();
  long count = stack[0];
  char** arguments = (char**)(stack + 1);
  char** environment = arguments + count + 1;
  if (count < 2) leave(110);

  char mode = arguments[1][0];
  const char* rest = arguments[1] + 2;
  unsigned long index = 0;
  for (; *rest >= '0' && *rest <= '9'; ++rest) index = index * 10 + (unsigned long)(*rest - '0');
  unsigned char* file = map(rest + 1, sizeof(struct header) + (index + 1) * sizeof(struct slot));

  if (mode == 'e') {
    ((struct header*)file)->exec_ns = now();
    call(__NR_execve, (long)arguments[2], (long)(arguments + 2), (long)environment, 0, 0, 0);
    leave(113);
  }
  mine = (struct slot*)(file + sizeof(struct header)) + index;
  if (mode == 't') catch_term();
  mine->start_ns = started;
  mine->pid = (unsigned int)call(__NR_getpid, 0, 0, 0, 0, 0, 0);
  __atomic_store_n(&mine->starts, mine->starts + 1, __ATOMIC_RELEASE);
  if (mode == 'x') leave(0);
  for (;;) call(__NR_ppoll, 0, 0, 0, 0, 0, 0);
}
