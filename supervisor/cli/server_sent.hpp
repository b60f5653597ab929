// Server-sent events as they arrive, in pieces of any size. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corral::cli {

class ServerSent {
 public:
  /// The data of the events that `bytes` complete. Comments, ids and what else has no data is left out.
  [[nodiscard]] std::vector<std::string> read(std::string_view bytes);

 private:
  std::string line_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace corral::cli
