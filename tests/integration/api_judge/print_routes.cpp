// Every route of the control API, a line each: GET /v1/status
#include <iostream>

#include "supervisor/control/request.hpp"

int main() {
  for (const corral::control::Route& route : corral::control::routes()) {
    std::cout << route.method << ' ' << route.path << '\n';
  }
}
