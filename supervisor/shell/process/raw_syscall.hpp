// System calls for the moments in which a new process still shares the supervisor's memory.
//
// libc's wrappers write errno, which lies in thread-local storage that the supervisor is using at the same time. These
// return the kernel's answer (negative: -errno) and touch nothing. The sanitizers are kept out for the same reason.
#pragma once

#include <sys/syscall.h>

#define CORRAL_BARE __attribute__((no_sanitize("address", "undefined")))

namespace corral::process {

CORRAL_BARE __attribute__((always_inline)) inline long raw_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0,
                                                                   long e = 0) {
#if defined(__x86_64__)
  long result = number;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "corral launches processes on x86-64 and arm64"
#endif
}

/// clone3(2) that calls `start(argument)` on the new stack; `start` does not return.
CORRAL_BARE __attribute__((always_inline)) inline long raw_clone3(const void* arguments, unsigned long size, void (*start)(void*),
                                                                  void* argument) {
#if defined(__x86_64__)
  long result = SYS_clone3;
  register void* r8 __asm__("r8") = reinterpret_cast<void*>(start);
  register void* r9 __asm__("r9") = argument;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r9, %%rdi\n\t"
      "call *%%r8\n\t"
      "hlt\n"
      "1:"
      : "+a"(result)
      : "D"(arguments), "S"(size), "r"(r8), "r"(r9)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_clone3;
  register long x0 __asm__("x0") = reinterpret_cast<long>(arguments);
  register long x1 __asm__("x1") = static_cast<long>(size);
  register void* x9 __asm__("x9") = reinterpret_cast<void*>(start);
  register void* x10 __asm__("x10") = argument;
  __asm__ volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x30, xzr\n\t"
      "mov x0, x10\n\t"
      "blr x9\n\t"
      "brk #1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x9), "r"(x10)
      : "memory");
  return x0;
#endif
}

}  // namespace corral::process
