#include "supervisor/shell/process/launch_text.hpp"

#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <string_view>

#include "common/base/check.hpp"
#include "supervisor/shell/process/command_path.hpp"
#include "supervisor/shell/process/template_parts.hpp"

namespace corral::process {
namespace {

/// Appends strings to a text that was reserved in full, so that pointers into it stay.
class Writer {
 public:
  Writer(std::string& text, std::size_t size) : text_(text) {
    text_.clear();
    text_.reserve(size);
    start_ = text_.data();
  }
  const char* add(std::initializer_list<std::string_view> pieces) {
    const std::size_t at = text_.size();
    for (const std::string_view piece : pieces) {
      text_ += piece;
    }
    return finish(at);
  }
  const char* add(const Pattern& pattern, const PlaceholderValues& values) {
    if (pattern.fixed()) {
      return pattern.text().c_str();
    }
    const std::size_t at = text_.size();
    pattern.append_to(text_, values);
    return finish(at);
  }

 private:
  const char* finish(std::size_t at) {
    text_.push_back('\0');
    CORRAL_CHECK(text_.data() == start_);
    return start_ + at;
  }
  std::string& text_;
  const char* start_;
};

std::size_t size_of(const LaunchTemplate::Parts& parts, const PlaceholderValues& values) {
  std::size_t size = 512 + 2 * values.cores.size();
  for (const std::vector<Pattern>* patterns : {&parts.arguments, &parts.environment}) {
    for (const Pattern& pattern : *patterns) {
      size += pattern.fixed() ? 0 : pattern.rendered_size(values) + 1;
    }
  }
  return size;
}

/// EACCES where a file of that name is in PATH but cannot be executed, as a shell has it.
int why_not_found(const std::string& command, std::string_view search_path) {
  while (!command.empty()) {
    const std::size_t end = search_path.find(':');
    if (access((std::string(search_path.substr(0, end)) + "/" + command).c_str(), F_OK) == 0) {
      return EACCES;
    }
    if (end == std::string_view::npos) {
      break;
    }
    search_path.remove_prefix(end + 1);
  }
  return ENOENT;
}

std::expected<void, core::LaunchFailure> find_path(LaunchSlot& slot, const LaunchTemplate::Parts& parts) {
  const bool fixed = parts.arguments.front().fixed();
  if (fixed && !parts.resolved.empty()) {
    slot.path = parts.resolved;
    return {};
  }
  const std::string command = slot.argv.front();
  slot.path = find_command(command, parts.search_path);
  if (slot.path.empty()) {
    return std::unexpected(core::LaunchFailure{core::LaunchStep::exec, why_not_found(command, parts.search_path), command});
  }
  if (fixed) {
    parts.resolved = slot.path;
  }
  return {};
}

void write_environment(LaunchSlot& slot, const LaunchRequest& request, const PlaceholderValues& values, Writer& writer) {
  const LaunchTemplate::Parts& parts = request.program->parts();
  slot.envp.assign(parts.inherited.begin(), parts.inherited.end());
  for (const Pattern& variable : parts.environment) {
    slot.envp.push_back(writer.add(variable, values));
  }
  slot.envp.push_back(writer.add({"CORRAL_WORKER=", values.index}));
  slot.envp.push_back(writer.add({"CORRAL_CORES=", values.cores}));
  slot.life_variables = slot.envp.size();
  slot.envp.resize(slot.envp.size() + 2);
  if (request.cores > 0) {
    const std::string cores = std::to_string(request.cores);
    for (const std::string_view name : parts.unset_thread_variables) {
      slot.envp.push_back(writer.add({name, "=", cores}));
    }
  }
  slot.envp.push_back(nullptr);
}

void write_life(LaunchSlot& slot, Life life, const std::string& identity) {
  const std::string program = std::to_string(number(life.worker.program));
  const std::string index = std::to_string(life.worker.index);
  const std::string incarnation = std::to_string(number(life.incarnation));
  Writer writer(slot.life_text, 128 + identity.size());
  slot.envp[slot.life_variables] = writer.add({"CORRAL_INCARNATION=", incarnation});
  // The whole address of this life: what is found later with it belongs to this life and no other.
  slot.envp[slot.life_variables + 1] = writer.add({"CORRAL_SUPERVISOR=", identity, ":", program, ":", index, ":", incarnation});
}

bool is_text_of(const LaunchSlot& slot, const LaunchRequest& request) {
  const bool same_cpus = request.placement != nullptr ? slot.cpus == *request.placement : slot.cpus.empty();
  return !request.has_task && slot.template_number == request.program->parts().number && slot.worker == request.life.worker &&
         slot.cores == request.cores && same_cpus;
}

std::expected<void, core::LaunchFailure> write_worker(LaunchSlot& slot, const LaunchRequest& request) {
  const LaunchTemplate::Parts& parts = request.program->parts();
  slot.template_number = 0;
  slot.placement = request.placement != nullptr ? request.placement->to_string() : std::string();
  const std::string index = std::to_string(request.life.worker.index % parts.worker_count);
  const std::string task_number = request.has_task ? std::to_string(request.task_number) : std::string();
  const PlaceholderValues values{index, parts.workers, parts.program, slot.placement, request.task, task_number};
  Writer writer(slot.text, size_of(parts, values));
  slot.argv.clear();
  for (const Pattern& argument : parts.arguments) {
    slot.argv.push_back(writer.add(argument, values));
  }
  if (auto found = find_path(slot, parts); !found) {
    return found;
  }
  slot.argv.push_back(nullptr);
  write_environment(slot, request, values, writer);
  slot.directory.clear();
  parts.directory.append_to(slot.directory, values);
  slot.template_number = request.has_task ? 0 : parts.number;
  slot.worker = request.life.worker;
  slot.cores = request.cores;
  slot.cpus = request.placement != nullptr ? *request.placement : core::CpuSet();
  return {};
}

}  // namespace

std::expected<void, core::LaunchFailure> write_text(LaunchSlot& slot, const LaunchRequest& request, const std::string& identity) {
  if (!is_text_of(slot, request)) {
    if (auto written = write_worker(slot, request); !written) {
      return written;
    }
  }
  write_life(slot, request.life, identity);
  return {};
}

}  // namespace corral::process
