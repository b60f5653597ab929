#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "supervisor/cli/top/sample.hpp"

namespace corral::cli::top {
namespace {

namespace boost_json = boost::json;
using Code = boost::system::error_code;

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

/// Reads a status as it comes, by Boost's parser: of a thousand workers it is a quarter of a megabyte, and nlohmann's took four
/// times as long for that, a fifth of all that `corral status` takes. A text or a number may come in parts.
class StatusReader {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  Sample sample;
  bool lists_workers = false;

  bool on_document_begin(Code& /*ec*/) { return true; }
  bool on_document_end(Code& /*ec*/) { return true; }
  bool on_object_begin(Code& /*ec*/) {
    begin_element();
    ++depth_;
    return true;
  }
  bool on_object_end(std::size_t /*members*/, Code& /*ec*/) {
    --depth_;
    return true;
  }
  bool on_array_begin(Code& /*ec*/) {
    begin_element();
    ++depth_;
    lists_workers = lists_workers || (depth_ == 2 && part_ == Part::workers);
    return true;
  }
  bool on_array_end(std::size_t /*elements*/, Code& /*ec*/) {
    --depth_;
    return true;
  }
  bool on_key_part(boost_json::string_view text, std::size_t /*so_far*/, Code& /*ec*/) { return on_string_part(text, 0, {}); }
  bool on_key(boost_json::string_view text, std::size_t /*size*/, Code& /*ec*/) {
    text_.append(text);
    if (depth_ == 1) {
      part_ = text_ == "supervisor" ? Part::supervisor
              : text_ == "programs" ? Part::programs
              : text_ == "workers"  ? Part::workers
                                    : Part::other;
    } else {
      key_ = text_;
    }
    text_.clear();
    return true;
  }
  bool on_string_part(boost_json::string_view text, std::size_t /*so_far*/, const Code& /*ec*/) {
    text_.append(text);
    return true;
  }
  bool on_string(boost_json::string_view text, std::size_t /*size*/, Code& /*ec*/) {
    text_.append(text);
    put({&text_, {}, {}});
    text_.clear();
    return true;
  }
  bool on_number_part(boost_json::string_view /*text*/, Code& /*ec*/) { return true; }
  bool on_int64(std::int64_t value, boost_json::string_view /*text*/, Code& /*ec*/) {
    const auto whole = value >= 0 ? std::optional(static_cast<std::uint64_t>(value)) : std::nullopt;
    return put({nullptr, static_cast<double>(value), whole});
  }
  bool on_uint64(std::uint64_t value, boost_json::string_view /*text*/, Code& /*ec*/) {
    return put({nullptr, static_cast<double>(value), value});
  }
  bool on_double(double value, boost_json::string_view /*text*/, Code& /*ec*/) { return put({nullptr, value, {}}); }
  bool on_bool(bool /*value*/, Code& /*ec*/) { return put({}); }
  bool on_null(Code& /*ec*/) { return put({}); }
  bool on_comment_part(boost_json::string_view /*text*/, Code& /*ec*/) { return true; }
  bool on_comment(boost_json::string_view /*text*/, Code& /*ec*/) { return true; }

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
  std::string text_;  ///< Of what is being read.
};

}  // namespace

Result<Sample> read_status(std::string_view bytes) {
  constexpr std::size_t a_worker = 200;  // Bytes of text, at least: moved to a greater room they would be copied.
  boost_json::basic_parser<StatusReader> parser(boost_json::parse_options{});
  StatusReader& reader = parser.handler();
  reader.sample.workers.reserve(bytes.size() / a_worker);
  Code ec;
  const std::size_t read = parser.write_some(false, bytes.data(), bytes.size(), ec);
  if (ec || bytes.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
    return std::unexpected(not_json());
  }
  if (!reader.lists_workers) {
    return failure("the supervisor's answer lists no workers; is it of another version?");
  }
  return std::move(reader.sample);
}

}  // namespace corral::cli::top
