// Compresses older files with gzip, on a thread of its own that takes only time that nobody else wants.
//
// NAME.1 stays as it is: who follows a log finds it by its inode across a rotation. A compressed file appears under its name
// whole or not at all; what is half done when the supervisor ends is done again the next time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace corral::logs {

class Compressor {
 public:
  Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  /// Gives up what is being done.
  ~Compressor();

  /// A file has been put aside: all from NAME.2 to NAME.keep get compressed, when there is time.
  void look_at(const std::string& path, std::uint32_t keep);

  struct State;  ///< For the .cpp file.

 private:
  std::shared_ptr<State> state_;
};

}  // namespace corral::logs
