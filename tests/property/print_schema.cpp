// The JSON Schema, or with --reference the reference page, without building the whole binary.
#include <iostream>
#include <string_view>

#include "supervisor/config/config.hpp"

int main(int count, char** arguments) {
  const bool reference = count > 1 && std::string_view(arguments[1]) == "--reference";
  std::cout << (reference ? corral::config::reference_page() : corral::config::json_schema());
  return std::cout.flush().good() ? 0 : 1;
}
