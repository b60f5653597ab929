#include "supervisor/shell/process/pattern.hpp"

#include <array>
#include <span>
#include <utility>

namespace corral::process {

Pattern::Pattern(std::string_view text, bool with_task) {
  static constexpr std::array<std::pair<std::string_view, Name>, 7> all_names{{{"{index}", Name::index},
                                                                               {"{workers}", Name::workers},
                                                                               {"{program}", Name::program},
                                                                               {"{cores}", Name::cores},
                                                                               {"{}", Name::task},
                                                                               {"{#}", Name::task_number},
                                                                               {"{worker}", Name::index}}};
  constexpr std::size_t without_task = 4;
  const std::span names(all_names.data(), with_task ? all_names.size() : without_task);
  while (!text.empty()) {
    std::size_t eaten = 0;
    if (text.front() == '{') {
      for (const auto& [name, which] : names) {
        const std::string_view rest = text.substr(1);
        if (rest.starts_with(name) && rest.substr(name.size()).starts_with('}')) {
          text_ += name;
          eaten = name.size() + 2;
          break;
        }
        if (text.starts_with(name)) {
          holes_.push_back({text_.size(), which});
          eaten = name.size();
          break;
        }
      }
    }
    if (eaten == 0) {
      text_ += text.front();
      eaten = 1;
    }
    text.remove_prefix(eaten);
  }
  text_.shrink_to_fit();
}

std::string_view Pattern::value(const PlaceholderValues& values, Name name) {
  switch (name) {
    case Name::index: return values.index;
    case Name::workers: return values.workers;
    case Name::program: return values.program;
    case Name::cores: return values.cores;
    case Name::task: return values.task;
    case Name::task_number: return values.task_number;
  }
  return {};
}

std::size_t Pattern::rendered_size(const PlaceholderValues& values) const {
  std::size_t size = text_.size();
  for (const Hole& hole : holes_) {
    size += value(values, hole.name).size();
  }
  return size;
}

void Pattern::append_to(std::string& out, const PlaceholderValues& values) const {
  std::size_t from = 0;
  for (const Hole& hole : holes_) {
    out.append(text_, from, hole.at - from);
    out += value(values, hole.name);
    from = hole.at;
  }
  out.append(text_, from);
}

}  // namespace corral::process
