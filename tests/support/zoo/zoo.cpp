// Reads the verbs and does them in turn.
#include "zoo.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace zoo {
namespace {

struct NamedSignal {
  std::string_view name;
  int number;
};
constexpr NamedSignal named_signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},     {"ABRT", SIGABRT}, {"FPE", SIGFPE},
    {"KILL", SIGKILL}, {"SEGV", SIGSEGV}, {"BUS", SIGBUS},   {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"CHLD", SIGCHLD}, {"CONT", SIGCONT},   {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {"XCPU", SIGXCPU}, {"WINCH", SIGWINCH},
};

}  // namespace

void mistake(std::string_view what) {
  put(STDERR_FILENO, "zoo: " + std::string(what) + "\n");
  _exit(98);
}

const std::string& Words::text(std::size_t at) const {
  if (at >= words_.size()) {
    mistake("a word is missing");
  }
  return words_[at];
}

std::string Words::text_or(std::size_t at, std::string_view otherwise) const {
  return at < words_.size() ? words_[at] : std::string(otherwise);
}

long Words::integer(std::size_t at) const {
  char* end = nullptr;
  const long value = std::strtol(text(at).c_str(), &end, 10);
  if (text(at).empty() || *end != '\0') {
    mistake("not a number: " + text(at));
  }
  return value;
}

int Words::signal(std::size_t at) const {
  for (const NamedSignal& entry : named_signals) {
    if (entry.name == text(at)) {
      return entry.number;
    }
  }
  return static_cast<int>(integer(at));
}

void put(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

void hang() {
  for (;;) {
    pause();
  }
}

}  // namespace zoo

int main(int argc, char** argv) {
  for (int at = 1; at < argc; ++at) {
    const std::string verb = argv[at];
    std::vector<std::string> words;
    for (++at; at < argc && std::string_view(argv[at]) != "+"; ++at) {
      words.emplace_back(argv[at]);
    }
    if (!zoo::perform(verb, zoo::Words(std::move(words)))) {
      zoo::mistake("no such verb: " + verb);
    }
  }
  return 0;
}
