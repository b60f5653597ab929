// CORRAL_CHECK: a promise that the program makes to itself, kept in every build.
//
// A false check prints the condition and its place and aborts: going on with a broken invariant could signal a
// bystander or lose a task. Never use it for input, the kernel's answers or anything else that may really happen.
#pragma once

namespace corral {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace corral

#define CORRAL_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::corral::check_failed(#condition, __FILE__, __LINE__))
