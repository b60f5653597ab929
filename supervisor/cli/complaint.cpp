#include "supervisor/cli/complaint.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "common/base/text.hpp"
#include "supervisor/cli/print.hpp"

namespace corral::cli {
namespace {

const char* what_was_wanted = "cannot go on";
int status_without_memory = not_started;

bool is_shortage(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM || error_number == EAGAIN;
}

/// With neither a buffer of stdio nor memory of its own.
void tell_plainly(const char* what, const char* why, const char* next) {
  std::array<char, 512> line;
  const int length = std::snprintf(line.data(), line.size(), "corral: %s: %s%s%s\n", what, why, *next == '\0' ? "" : "; ", next);
  const auto size = std::min(line.size() - 1, static_cast<std::size_t>(std::max(length, 0)));
  if (::write(STDERR_FILENO, line.data(), size) < 0) {
    return;  // Nobody is left to tell.
  }
}

void tell_error(const char* what, int error_number) {
  const char* why = ::strerrordesc_np(error_number);
  tell_plainly(what, why == nullptr ? "unknown error" : why, way_out(error_number));
}

[[noreturn]] void end_without_memory() {
  if (std::current_exception() == nullptr) {  // There was not even the memory to throw that there is none.
    tell_error(what_was_wanted, ENOMEM);
    std::_Exit(status_without_memory);
  }
  try {
    throw;
  } catch (const std::bad_alloc&) {
    tell_error(what_was_wanted, ENOMEM);
    std::_Exit(status_without_memory);
  } catch (...) {
    complain_of_exception(what_was_wanted, 0);
  }
  std::abort();  // A mistake of ours: whoever mends it wants the core.
}

}  // namespace

const char* way_out(int error_number) {
  switch (error_number) {
    case EMFILE: return "allow it more open files (ulimit -n, docker run --ulimit nofile=…, LimitNOFILE=)";
    case ENFILE: return "the whole machine has run out of open files (sysctl fs.file-max)";
    case ENOMEM: return "allow it more memory (ulimit -v, docker run --memory, LimitAS=, MemoryMax=)";
    default: return "";
  }
}

int complain(const Error& error) {
  std::string line = "corral: ";
  append_printable(line, error.message);  // It may quote what a stranger wrote.
  if (const std::string_view next = way_out(error.error_number); !next.empty()) {
    line.append("; ").append(next);
  }
  tell(line + "\n");
  return is_shortage(error.error_number) ? not_started : refused;
}

int complain(std::string message) { return complain(Error{std::move(message), 0}); }

int complain_of_exception(const char* what, int status) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    tell_error(what, ENOMEM);
  } catch (const std::system_error& error) {
    tell_error(what, error.code().value());
  } catch (const std::exception& error) {
    tell_plainly("internal error", error.what(), "please report this");
  } catch (...) {
    tell_plainly("internal error", "an exception without a name", "please report this");
  }
  return status;
}

void expect_no_memory(const char* what, int status) {
  what_was_wanted = what;
  status_without_memory = status;
  std::set_terminate(end_without_memory);
}

}  // namespace corral::cli
