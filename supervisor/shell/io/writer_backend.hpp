// What every way of writing offers, for the .cpp files of Writer alone.
#pragma once

#include "supervisor/shell/io/writer.hpp"

namespace corral::shell {

class Writer::Backend {
 public:
  virtual ~Backend() = default;
  virtual void append(std::string_view bytes) = 0;
  virtual void keep_lines_whole() {}
  virtual void flush() = 0;
  [[nodiscard]] virtual std::size_t pending() const = 0;
  [[nodiscard]] virtual int error_number() const = 0;
  [[nodiscard]] virtual std::uint64_t dropped() const = 0;
  /// Waits for the reader at most that long, as the end is near. True when nothing is left.
  virtual bool wait(Duration patience) = 0;
  /// What is left stays unwritten.
  virtual void give_up() {}
};

}  // namespace corral::shell
