#include "supervisor/cli/top/sample.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace corral::cli::top {
namespace {

using nlohmann::json;

const json& member(const json& object, const char* name) {
  static const json nothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing;
}

std::string text(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// A value that holds no others. What it is not is empty.
struct Scalar {
  std::string* text = nullptr;
  std::optional<double> number;
  std::optional<std::uint64_t> whole;
};

template <class Of>
struct Field {
  std::string_view key;
  void (*put)(Of&, const Scalar&);
};

template <auto Member, class Of>
void put_text(Of& whole, const Scalar& value) {
  whole.*Member = value.text != nullptr ? std::move(*value.text) : std::string();
}
template <auto Member, class Of>
void put_number(Of& whole, const Scalar& value) {
  whole.*Member = value.number && std::isfinite(*value.number) ? value.number : std::nullopt;
}
template <auto Member, class Of>
void put_whole(Of& whole, const Scalar& value) {
  whole.*Member = value.whole;
}
template <auto Member, class Of>
void put_count(Of& whole, const Scalar& value) {
  whole.*Member = value.whole.value_or(0);
}

constexpr std::array worker_fields{
    Field<WorkerSample>{"worker", put_text<&WorkerSample::name>},
    Field<WorkerSample>{"program", put_text<&WorkerSample::program>},
    Field<WorkerSample>{"index", put_count<&WorkerSample::index>},
    Field<WorkerSample>{"state", put_text<&WorkerSample::state>},
    Field<WorkerSample>{"wanted", [](WorkerSample& worker,
                                     const Scalar& value) { worker.wanted_up = value.text != nullptr && *value.text == "up"; }},
    Field<WorkerSample>{"pid", put_whole<&WorkerSample::pid>},
    Field<WorkerSample>{"incarnation", put_count<&WorkerSample::incarnation>},
    Field<WorkerSample>{"cores", put_text<&WorkerSample::cores>},
    Field<WorkerSample>{"uptime_seconds", put_number<&WorkerSample::uptime_seconds>},
    Field<WorkerSample>{"restarts", put_count<&WorkerSample::restarts>},
    Field<WorkerSample>{"cpu_seconds", put_number<&WorkerSample::cpu_seconds>},
    Field<WorkerSample>{"memory_bytes", put_whole<&WorkerSample::memory_bytes>},
    Field<WorkerSample>{"next_start_seconds", put_number<&WorkerSample::next_start_seconds>},
    Field<WorkerSample>{"tasks_done", put_whole<&WorkerSample::tasks_done>},
};
constexpr std::array supervisor_fields{
    Field<Sample>{"version", put_text<&Sample::version>},
    Field<Sample>{"config", put_text<&Sample::config>},
    Field<Sample>{"phase", put_text<&Sample::phase>},
    Field<Sample>{"pid", put_count<&Sample::pid>},
    Field<Sample>{"uptime_seconds",
                  [](Sample& sample, const Scalar& value) {
                    sample.uptime_seconds = value.number && std::isfinite(*value.number) ? *value.number : 0;
                  }},
};

/// Reads a status as it comes: a document of a thousand workers, made only to be read once, took a third of the client's time.
class StatusReader final : public nlohmann::json_sax<json> {
 public:
  Sample sample;
  bool lists_workers = false;

  bool null() override { return put({}); }
  bool boolean(bool /*value*/) override { return put({}); }
  bool number_integer(number_integer_t value) override { return put({nullptr, static_cast<double>(value), {}}); }
  bool number_unsigned(number_unsigned_t value) override { return put({nullptr, static_cast<double>(value), value}); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return put({nullptr, value, {}}); }
  bool string(string_t& value) override { return put({&value, {}, {}}); }
  bool binary(binary_t& /*value*/) override { return put({}); }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      part_ = name == "supervisor" ? Part::supervisor
              : name == "programs" ? Part::programs
              : name == "workers"  ? Part::workers
                                   : Part::other;
    } else {
      key_ = name;
    }
    return true;
  }
  bool start_object(std::size_t /*elements*/) override {
    begin_element();
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override {
    begin_element();
    ++depth_;
    lists_workers = lists_workers || (depth_ == 2 && part_ == Part::workers);
    return true;
  }
  bool end_array() override { return end_object(); }
  bool parse_error(std::size_t /*at*/, const std::string& /*last*/, const nlohmann::detail::exception& /*why*/) override {
    return false;
  }

 private:
  enum class Part : std::uint8_t { other, supervisor, programs, workers };

  /// Whatever kind it is of: there are as many samples as elements.
  void begin_element() {
    if (depth_ == 2 && part_ == Part::workers && lists_workers) {
      sample.workers.emplace_back();
    }
    sample.programs += depth_ == 2 && part_ == Part::programs ? 1U : 0U;
  }
  bool put(const Scalar& value) {
    begin_element();
    if (part_ == Part::workers && depth_ == 3 && !sample.workers.empty()) {
      put(worker_fields, sample.workers.back(), value);
    } else if (part_ == Part::supervisor && depth_ == 2) {
      put(supervisor_fields, sample, value);
    }
    return true;
  }
  template <class Fields, class Of>
  void put(const Fields& fields, Of& whole, const Scalar& value) {
    const auto field = std::ranges::find(fields, std::string_view(key_), &Field<Of>::key);
    if (field != fields.end()) {
      field->put(whole, value);
    }
  }

  int depth_ = 0;
  Part part_ = Part::other;
  std::string key_;
};

/// "crunch/1 (pid 4123) killed by …" and "crunch/1: sent SIGTERM" without the worker.
std::string without_name(std::string message, const std::string& worker) {
  if (!message.starts_with(worker)) {
    return message;
  }
  std::string_view rest = std::string_view(message).substr(worker.size());
  if (rest.starts_with(" (pid ")) {
    const auto end = rest.find(") ");
    return std::string(end == std::string_view::npos ? rest : rest.substr(end + 2));
  }
  return rest.starts_with(": ") ? std::string(rest.substr(2)) : message;
}

Error not_json() { return {"the supervisor's answer is not JSON; is something else listening on its socket?", 0}; }

Result<json> parse(std::string_view text) {
  json parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded()) {
    return std::unexpected(not_json());
  }
  return parsed;
}

}  // namespace

Result<Sample> read_status(std::string_view bytes) {
  constexpr std::size_t a_worker = 250;  // Bytes of text, or so.
  StatusReader reader;
  reader.sample.workers.reserve(bytes.size() / a_worker);
  if (!json::sax_parse(bytes, &reader)) {
    return std::unexpected(not_json());
  }
  if (!reader.lists_workers) {
    return failure("the supervisor's answer lists no workers; is it of another version?");
  }
  return std::move(reader.sample);
}

Result<LastEvents> read_events(std::string_view bytes) {
  const Result<json> answer = parse(bytes);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  const json& list = answer->is_array() ? *answer : member(*answer, "events");
  LastEvents last;
  for (const json& event : list) {
    const std::string worker = text(event, "worker");
    if (!worker.empty()) {
      const std::string said = text(event, "text");  // In a line of the log it is called otherwise.
      last[worker] = without_name(said.empty() ? text(event, "message") : said, worker);
    }
  }
  return last;
}

std::string read_error(std::string_view bytes, int status) {
  const json parsed = json::parse(bytes, nullptr, false);
  const std::string said = text(parsed, "error");
  return said.empty() ? "the supervisor answers with status " + std::to_string(status) : said;
}

}  // namespace corral::cli::top
