// A worker that does nothing, as fast as corral::worker can: its result is a constant.
#include <corral/worker.hpp>
#include <string_view>

int main() {
  return corral::worker::serve([](std::string_view) -> std::string_view { return {}; }, {.name = "no-op"});
}
