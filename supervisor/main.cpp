#include <cstdlib>

#include "supervisor/cli/cli.hpp"

int main(int argc, char** argv) {
  // Everything that has to be put in order has been: what is left is memory, and the kernel is quicker at that.
  std::_Exit(corral::cli::main(argc, argv));
}
