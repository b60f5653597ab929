#include "supervisor/cli/supervise.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "supervisor/cli/complaint.hpp"

namespace corral::cli {

bool wants_colour(Colour colour, int fd) {
  if (colour != Colour::automatic) {
    return colour == Colour::always;
  }
  const char* no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  const char* term = std::getenv("TERM");           // NOLINT(concurrency-mt-unsafe)
  return (no_colour == nullptr || *no_colour == '\0') && (term == nullptr || std::string_view(term) != "dumb") &&
         ::isatty(fd) != 0;
}

shell::VoiceOptions voice_options(const Talk& talk) {
  return {talk.format, talk.quiet ? shell::Weight::notable : shell::Weight::routine, wants_colour(talk.colour, STDOUT_FILENO),
          wants_colour(talk.colour, STDERR_FILENO)};
}

std::uint64_t fresh_seed() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
         static_cast<std::uint64_t>(::getpid()) << 32U;
}

int cannot_open(const Error& error, core::Containment asked) {
  const int status = complain(error);
  return asked == core::Containment::cgroup ? status : not_started;
}

int supervise(shell::Pump& pump, shell::Prepared prepared, int died) {
  try {
    return pump.run(std::move(prepared));
  } catch (...) {
    return pump.anything_ran() ? complain_of_exception("cannot go on", died) : complain_of_exception("cannot start", not_started);
  }
}

}  // namespace corral::cli
