#include "supervisor/config/tokens.hpp"

#include <algorithm>

namespace corral::config {

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("//")) {
      at += std::min(rest.find_first_of("\r\n"), rest.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t close = rest.find("*/", 2);
      if (close == std::string_view::npos) {
        return at;
      }
      at += close + 2;
    } else if (std::string_view(" \t\r\n").contains(rest.front())) {
      ++at;
    } else {
      return at;
    }
  }
  return at;
}

std::size_t token_end(std::string_view text, std::size_t at) {
  if (text[at] == '"') {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      at += text[at] == '\\' ? 1U : 0U;
    }
    return std::min(at + 1, text.size());
  }
  if (std::string_view("{}[],:").contains(text[at])) {
    return at + 1;
  }
  return std::min(text.find_first_of(word_ends, at + 1), text.size());
}

}  // namespace corral::config
