// visits FILE COMMAND...: runs a statically linked COMMAND one instruction at a time, with its threads and with its children until
// they exec, and writes into FILE the address of each instruction that was executed, in the order of the first visits.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { addresses = 32 << 20 };  // The text of a program that is not position independent begins at 4 MiB.

static unsigned char visited[addresses];

static void note(FILE* out, pid_t pid) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, pid, 0, &registers) != 0 || registers.rip >= addresses || visited[registers.rip]) return;
  visited[registers.rip] = 1;
  fprintf(out, "%llx\n", registers.rip);
}

int main(int count, char** words) {
  if (count < 3) {
    fputs("usage: visits FILE COMMAND...\n", stderr);
    return 2;
  }
  FILE* out = fopen(words[1], "w");
  if (out == NULL) {
    perror(words[1]);
    return 1;
  }
  const pid_t first = fork();
  if (first == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execvp(words[2], words + 2);
    _exit(127);
  }
  int status;
  waitpid(first, &status, 0);
  const long follow = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  ptrace(PTRACE_SETOPTIONS, first, 0, follow);
  ptrace(PTRACE_CONT, first, 0, 0);
  int begun = 0;
  for (;;) {
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) break;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (pid == first) break;
      continue;
    }
    const int event = status >> 16;
    const int signal = WSTOPSIG(status);
    if (event == PTRACE_EVENT_EXEC && begun) {
      ptrace(PTRACE_DETACH, pid, 0, 0);  // It is another program now.
      continue;
    }
    begun = begun || event == PTRACE_EVENT_EXEC;
    const int ours = event != 0 || signal == SIGTRAP || signal == SIGSTOP;
    if (ours && event == 0) note(out, pid);
    ptrace(PTRACE_SINGLESTEP, pid, 0, ours ? 0 : signal);
  }
  return fclose(out) == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
