#include "common/base/result.hpp"

#include <system_error>

namespace corral {

Error system_error(std::string_view what, int error_number) {
  std::string message(what);
  message += ": ";
  message += std::generic_category().message(error_number);
  return Error{std::move(message), error_number};
}

}  // namespace corral
