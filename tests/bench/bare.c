// The least that keeps N workers running: vfork, exec, wait, and nothing else. What every supervisor is measured by.
//
//   bare N COMMAND MODE FILE         runs COMMAND "MODE:INDEX:FILE" for each index below N and again when it ends
//   bare N COMMAND                   the same without an argument
//   bare named N COMMAND MODE FILE   the same, waiting for the child that the signal names: a wait for any looks at all of them.
//                                    Of two that die at the same moment it loses one.
//
// SIGTERM is passed on to every worker; bare ends when the last one has. All arguments are made before the first start.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

enum { highest_pid = 4 << 20 };  // PID_MAX_LIMIT

static int worker_of[highest_pid];  // By pid: a search would cost more than the wait. Untouched pages cost nothing.
static pid_t* pids;
static int workers;
static volatile sig_atomic_t stopping;

static void pass_on(int signal) {
  stopping = 1;
  for (int i = 0; i < workers; ++i)
    if (pids[i] > 0) kill(pids[i], signal);
}

static void start(int worker, const char* command, char** arguments) {
  pid_t pid = vfork();
  if (pid == 0) {
    execve(command, arguments, environ);
    _exit(127);
  }
  if (pid < 0) {
    perror("bare: vfork");
    exit(1);
  }
  worker_of[pid] = worker;
  pids[worker] = pid;
  if (stopping) kill(pid, SIGTERM);  // The signal came between vfork and the line above.
}

/// The next child that has ended; negative as waitpid has it.
static pid_t wait_for_next(int named) {
  if (!named) return waitpid(-1, NULL, 0);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  siginfo_t told;
  for (;;) {
    if (sigwaitinfo(&child, &told) < 0) return -1;
    pid_t pid = waitpid(told.si_pid, NULL, WNOHANG);
    if (pid > 0) return pid;
  }
}

int main(int count, char** words) {
  const int named = count > 1 && strcmp(words[1], "named") == 0;
  count -= named;
  words += named;
  if (count != 3 && count != 5) {
    fputs("usage: bare [named] N COMMAND [MODE FILE]\n", stderr);
    return 2;
  }
  workers = atoi(words[1]);
  const char* command = words[2];
  pids = calloc((size_t)workers, sizeof *pids);
  char*** arguments = calloc((size_t)workers, sizeof *arguments);
  for (int i = 0; i < workers; ++i) {
    arguments[i] = calloc(3, sizeof **arguments);
    arguments[i][0] = words[2];
    if (count == 5 && asprintf(&arguments[i][1], "%s:%d:%s", words[3], i, words[4]) < 0) return 1;
  }
  struct sigaction action = {.sa_handler = pass_on};
  sigaction(SIGTERM, &action, NULL);

  if (named) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
  }
  for (int i = 0; i < workers; ++i) start(i, command, arguments[i]);
  for (;;) {
    pid_t pid = wait_for_next(named);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return errno == ECHILD ? 0 : 1;
    int worker = worker_of[pid];
    pids[worker] = 0;
    if (!stopping) start(worker, command, arguments[worker]);
  }
}
