// The command line: sub-commands, their options and help, and what people read.
//
// Composition and words. What is decided lies in core, what is done in shell.
#pragma once

namespace corral::cli {

/// The whole program: the exit status.
[[nodiscard]] int main(int argc, char** argv);

}  // namespace corral::cli
