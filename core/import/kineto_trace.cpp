#include "core/import/kineto_trace.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/import/json_stream.h"
#include "core/import/launch_links.h"
#include "core/import/name_table.h"
#include "core/import/step_ranges.h"
#include "core/profile/traced_op.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
namespace ondemand = simdjson::ondemand;

enum class Category : std::uint8_t { kOther, kKernel, kCopy, kFill, kCall, kOperator, kAnnotation, kProfilerRange };

struct CategoryName {
  std::string_view name;
  Category category;
};

// Spelled so since PyTorch 1.13; with capitals before.
constexpr CategoryName kCategories[] = {
    {"kernel", Category::kKernel},
    {"Kernel", Category::kKernel},
    {"gpu_memcpy", Category::kCopy},
    {"Memcpy", Category::kCopy},
    {"gpu_memset", Category::kFill},
    {"Memset", Category::kFill},
    {"cuda_runtime", Category::kCall},
    {"cuda_driver", Category::kCall},
    {"Runtime", Category::kCall},
    {"cpu_op", Category::kOperator},
    {"Operator", Category::kOperator},
    {"user_annotation", Category::kAnnotation},
    {"cuda_profiler_range", Category::kProfilerRange},
};

Category category_of(std::string_view name) {
  for (const CategoryName& row : kCategories)
    if (row.name == name) return row.category;
  return Category::kOther;
}

/// The text between the quotes of a token; the token itself where it has none.
std::string_view unquoted(std::string_view token) {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
    token.remove_suffix(1);
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"') return token.substr(1, token.size() - 2);
  return token;
}

template <class Number>
std::optional<Number> number_of(std::string_view token) {
  const std::string_view text = unquoted(token);
  Number value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Microseconds with decimals as nanoseconds. A double holds too few digits for microseconds since 1970.
std::optional<std::int64_t> nanoseconds_of(std::string_view token) {
  const std::string_view text = unquoted(token);
  const std::size_t point = text.find('.');
  const auto whole = number_of<std::int64_t>(text.substr(0, point));
  if (!whole || std::abs(*whole) > std::numeric_limits<std::int64_t>::max() / 2000) {
    const auto value = number_of<double>(text);
    if (!value || !(std::abs(*value) < 4e15)) return std::nullopt;
    return std::llround(*value * 1000.0);
  }
  std::int64_t thousandths = 0;
  std::int64_t scale = 100;
  if (point != std::string_view::npos)
    for (const char c : text.substr(point + 1)) {
      if (c < '0' || c > '9') return std::nullopt;
      thousandths += scale * (c - '0');
      scale /= 10;
    }
  return *whole * 1000 + (text.starts_with('-') ? -thousandths : thousandths);
}

/// The members of one event that this reader uses, as they stand in the file.
struct RawEvent {
  std::string_view phase, category, name, process, thread, start, duration, arguments;
};

/// The members of its "args".
struct Arguments {
  std::optional<std::int64_t> correlation, device, stream, bytes;
  std::string_view dims, types, values;  // arrays
};

/// A call that may have launched GPU work.
struct LaunchCall {
  std::int64_t correlation = 0;
  std::uint64_t thread = 0;
  std::int64_t start_ns = 0;
  enum class Kind : std::uint8_t { kSingle, kGraph } kind = Kind::kSingle;
};

bool is_graph_launch(std::string_view call) {
  return call.find("GraphLaunch") != std::string_view::npos;
}

/// An object or array as it stands in the file.
template <class Nested>
std::string_view raw_text(simdjson::simdjson_result<ondemand::value>& value) {
  Nested nested;
  if constexpr (std::is_same_v<Nested, ondemand::object>)
    nested = value.get_object();
  else
    nested = value.get_array();
  return nested.raw_json();
}

class KinetoReader : public JsonPieces {
 public:
  KinetoReader(const fs::path& file, const NameRules& rules) : file_(file), rules_(rules) {
    trace_.format = "PyTorch profiler trace";
  }

  void event(std::string_view text, std::size_t capacity) override {
    ++n_seen_;
    const RawEvent raw = split(text, capacity);
    if (raw.phase != "X") return;
    const Category category = category_of(raw.category);
    if (category == Category::kOther) return;
    if (category == Category::kProfilerRange) {
      ++n_profiler_ranges_;
      return;
    }
    take(category, raw, text.data() + capacity);
  }

  void member(std::string_view key, std::string_view value, std::size_t capacity) override {
    if (key == "deviceProperties") read_devices(value, capacity);
  }

  GpuTrace finish() &&;

 private:
  Error event_error(const std::string& reason) const {
    return {ErrorKind::kInput, file_.string(), fmt::format("event {}: {}", n_seen_, reason),
            "Export the trace once more with PyTorch's profiler."};
  }

  RawEvent split(std::string_view text, std::size_t capacity);
  Arguments arguments_of(std::string_view text, const char* readable_end);
  void take(Category category, const RawEvent& raw, const char* readable_end);
  void take_gpu_work(Category category, std::string_view name, std::int64_t start_ns, std::int64_t end_ns,
                     const Arguments& arguments);
  void take_operator(std::string_view name, const HostRange& range, const Arguments& arguments);
  void read_devices(std::string_view value, std::size_t capacity);
  std::int32_t operands_of(std::string_view name, const Arguments& arguments);
  Operands parse_operands(const Arguments& arguments);

  void nest_operators();
  void link_launches();
  void add_remarks();

  fs::path file_;
  const NameRules& rules_;
  ondemand::parser parser_;
  GpuTrace trace_;
  NameTable names_;
  NameTable signatures_;  // texts of operands
  std::vector<std::int32_t> operands_by_signature_;
  std::vector<HostRange> operator_ranges_;
  std::vector<HostOp> operators_;
  StepRanges steps_;
  std::vector<LaunchCall> launches_;
  std::vector<std::int64_t> correlations_;  // of the GPU events, in their order
  std::vector<std::int8_t> communicates_;   // of names: -1 unknown, 0 no, 1 yes
  std::int64_t n_seen_ = 0;
  std::int64_t n_profiler_ranges_ = 0;
  std::int64_t n_from_graphs_ = 0;
};

RawEvent KinetoReader::split(std::string_view text, std::size_t capacity) {
  RawEvent raw;
  try {
    auto document = parser_.iterate(simdjson::padded_string_view(text.data(), text.size(), capacity));
    for (auto field : document.get_object()) {
      const ondemand::raw_json_string key = field.key();
      auto value = field.value();
      if (key == "args") {
        if (value.type() == ondemand::json_type::object) raw.arguments = raw_text<ondemand::object>(value);
      } else if (key == "ph") {
        raw.phase = unquoted(value.raw_json_token());
      } else if (key == "cat") {
        raw.category = unquoted(value.raw_json_token());
      } else if (key == "name") {
        raw.name = unquoted(value.raw_json_token());
      } else if (key == "pid") {
        raw.process = unquoted(value.raw_json_token());
      } else if (key == "tid") {
        raw.thread = unquoted(value.raw_json_token());
      } else if (key == "ts") {
        raw.start = value.raw_json_token();
      } else if (key == "dur") {
        raw.duration = value.raw_json_token();
      }
    }
  } catch (const simdjson::simdjson_error& fault) {
    throw event_error(fmt::format("is no JSON: {}.", fault.what()));
  }
  return raw;
}

Arguments KinetoReader::arguments_of(std::string_view text, const char* readable_end) {
  Arguments arguments;
  if (text.empty()) return arguments;
  const auto integer = [](std::string_view token) { return number_of<std::int64_t>(token); };
  try {
    auto document = parser_.iterate(
        simdjson::padded_string_view(text.data(), text.size(), static_cast<std::size_t>(readable_end - text.data())));
    for (auto field : document.get_object()) {
      const ondemand::raw_json_string key = field.key();
      auto value = field.value();
      if (key == "correlation")
        arguments.correlation = integer(value.raw_json_token());
      else if (key == "device")
        arguments.device = integer(value.raw_json_token());
      else if (key == "stream")
        arguments.stream = integer(value.raw_json_token());
      else if (key == "bytes")
        arguments.bytes = integer(value.raw_json_token());
      else if (key == "Input Dims" || key == "Input dims")
        arguments.dims = raw_text<ondemand::array>(value);
      else if (key == "Input type")
        arguments.types = raw_text<ondemand::array>(value);
      else if (key == "Concrete Inputs")
        arguments.values = raw_text<ondemand::array>(value);
    }
  } catch (const simdjson::simdjson_error& fault) {
    throw event_error(fmt::format("its \"args\" cannot be read: {}.", fault.what()));
  }
  return arguments;
}

void KinetoReader::take(Category category, const RawEvent& raw, const char* readable_end) {
  const auto start_ns = nanoseconds_of(raw.start);
  const auto duration_ns = raw.duration.empty() ? std::optional<std::int64_t>(0) : nanoseconds_of(raw.duration);
  if (!start_ns || !duration_ns || *duration_ns < 0)
    throw event_error(fmt::format("'{}' has no valid \"ts\" and \"dur\".", raw.name.substr(0, 60)));
  const HostRange range{
      .thread = std::hash<std::string_view>{}(raw.process) * 31 + std::hash<std::string_view>{}(raw.thread),
      .start_ns = *start_ns,
      .end_ns = *start_ns + *duration_ns};
  if (category == Category::kAnnotation) {
    if (auto step = rules_.step_of(raw.name)) steps_.add(*std::move(step), range);
    return;
  }
  const Arguments arguments = arguments_of(raw.arguments, readable_end);
  if (category == Category::kOperator) {
    take_operator(raw.name, range, arguments);
  } else if (category == Category::kCall) {
    if (arguments.correlation)
      launches_.push_back({*arguments.correlation, range.thread, range.start_ns,
                           is_graph_launch(raw.name) ? LaunchCall::Kind::kGraph : LaunchCall::Kind::kSingle});
  } else {
    take_gpu_work(category, raw.name, range.start_ns, range.end_ns, arguments);
  }
}

void KinetoReader::take_gpu_work(Category category, std::string_view name, std::int64_t start_ns, std::int64_t end_ns,
                                 const Arguments& arguments) {
  GpuEvent event;
  event.start_ns = start_ns;
  event.end_ns = end_ns;
  event.bytes = arguments.bytes.value_or(0);
  event.name = names_.index_of(name);
  event.device = static_cast<std::int32_t>(arguments.device.value_or(0));
  event.stream = static_cast<std::int32_t>(arguments.stream.value_or(0));
  event.work = category == Category::kCopy ? GpuWork::kCopy : GpuWork::kFill;
  if (category == Category::kKernel) {
    communicates_.resize(names_.texts().size(), -1);
    std::int8_t& communicates = communicates_[event.name];
    if (communicates < 0) communicates = rules_.family_of(name) == KernelFamily::kCommunication ? 1 : 0;
    event.work = communicates == 1 ? GpuWork::kCommunication : GpuWork::kKernel;
  }
  trace_.events.push_back(event);
  correlations_.push_back(arguments.correlation.value_or(-1));
}

void KinetoReader::take_operator(std::string_view name, const HostRange& range, const Arguments& arguments) {
  HostOp op;
  op.name = names_.index_of(name);
  op.operands = operands_of(name, arguments);
  operators_.push_back(op);
  operator_ranges_.push_back(range);
}

std::int32_t KinetoReader::operands_of(std::string_view name, const Arguments& arguments) {
  if (arguments.dims.empty() || !is_traced_op(name)) return kNoIndex;
  const std::string text = fmt::format("{}\n{}\n{}", arguments.dims, arguments.types, arguments.values);
  const std::uint32_t signature = signatures_.index_of(text);
  if (signature == operands_by_signature_.size()) {
    operands_by_signature_.push_back(static_cast<std::int32_t>(trace_.operands.size()));
    trace_.operands.push_back(parse_operands(arguments));
  }
  return operands_by_signature_[signature];
}

Operands KinetoReader::parse_operands(const Arguments& arguments) {
  Operands operands;
  try {
    const simdjson::padded_string dims(arguments.dims);
    auto document = parser_.iterate(dims);
    for (auto operand : document.get_array()) {
      std::vector<std::int64_t> sizes;
      // Lists of tensors nest once more; none of the known operators takes one.
      for (auto size : operand.get_array()) {
        std::int64_t value = 0;
        if (size.get_int64().get(value) == simdjson::SUCCESS) sizes.push_back(value);
      }
      operands.dims.push_back(std::move(sizes));
    }
    const auto read_texts = [&](std::string_view array, std::vector<std::string>& texts) {
      if (array.empty()) return;
      const simdjson::padded_string padded(array);
      auto list = parser_.iterate(padded);
      for (auto text : list.get_array()) {
        std::string_view value;
        texts.emplace_back(text.get_string().get(value) == simdjson::SUCCESS ? value : std::string_view());
      }
    };
    read_texts(arguments.types, operands.types);
    read_texts(arguments.values, operands.values);
  } catch (const simdjson::simdjson_error& fault) {
    throw event_error(fmt::format("the shapes of its inputs cannot be read: {}.", fault.what()));
  }
  return operands;
}

void KinetoReader::read_devices(std::string_view value, std::size_t capacity) {
  try {
    auto document = parser_.iterate(simdjson::padded_string_view(value.data(), value.size(), capacity));
    for (auto device : document.get_array()) {
      TraceDevice found;
      std::int64_t index = 0;
      std::string_view name;
      auto object = device.get_object();
      if (object.find_field_unordered("id").get_int64().get(index) == simdjson::SUCCESS)
        found.index = static_cast<std::int32_t>(index);
      if (object.find_field_unordered("name").get_string().get(name) == simdjson::SUCCESS) found.name = name;
      trace_.devices.push_back(std::move(found));
    }
  } catch (const simdjson::simdjson_error&) {
    trace_.remarks.push_back({"no_device_properties", "The trace's description of its devices cannot be read."});
  }
}

void KinetoReader::nest_operators() {
  const std::vector<std::uint32_t> order = nesting_order(operator_ranges_);
  std::vector<HostRange> ranges;
  ranges.reserve(order.size());
  trace_.host_ops.reserve(order.size());
  for (const std::uint32_t index : order) {
    ranges.push_back(operator_ranges_[index]);
    trace_.host_ops.push_back(operators_[index]);
  }
  operator_ranges_ = std::move(ranges);
  operators_.clear();
}

void KinetoReader::link_launches() {
  std::sort(launches_.begin(), launches_.end(),
            [](const LaunchCall& a, const LaunchCall& b) { return a.correlation < b.correlation; });
  const std::vector<std::int32_t> parents = parents_of(operator_ranges_);
  for (std::size_t i = 0; i < parents.size(); ++i) trace_.host_ops[i].parent = parents[i];
  const RangeFinder operators(operator_ranges_, parents);

  steps_.finish();
  for (std::size_t i = 0; i < trace_.events.size(); ++i) {
    GpuEvent& event = trace_.events[i];
    const auto launch = std::lower_bound(launches_.begin(), launches_.end(), correlations_[i],
                                         [](const LaunchCall& call, std::int64_t c) { return call.correlation < c; });
    if (launch == launches_.end() || launch->correlation != correlations_[i]) {
      event.launch = Launch::kMissing;
      continue;
    }
    event.launch_ns = launch->start_ns;
    event.step = steps_.around(launch->thread, launch->start_ns);
    if (launch->kind == LaunchCall::Kind::kGraph)
      ++n_from_graphs_;
    else
      event.host_op = operators.innermost(launch->thread, launch->start_ns);
  }
}

void KinetoReader::add_remarks() {
  const auto n_missing = std::count_if(trace_.events.begin(), trace_.events.end(),
                                       [](const GpuEvent& event) { return event.launch == Launch::kMissing; });
  if (n_missing > 0)
    trace_.remarks.push_back(
        {"launch_missing",
         fmt::format("{} of {} GPU events have no launching call in the recording: they were launched "
                     "before it began, so no operator and no step is known for them.",
                     n_missing, trace_.events.size())});
  if (n_from_graphs_ > 0)
    trace_.remarks.push_back(
        {"graph_replay",
         fmt::format("{} of {} GPU events come from replayed graphs: their operators ran when the graph "
                     "was captured, so no shapes are recorded for them.",
                     n_from_graphs_, trace_.events.size())});
  if (n_profiler_ranges_ > 0)
    trace_.remarks.push_back(
        {"profiler_ranges", fmt::format("{} ranges of the counter profiler were left out: kernels are replayed and "
                                        "serialised for them, so their times are not those of the program.",
                                        n_profiler_ranges_)});
  if (trace_.operands.empty() && n_from_graphs_ == 0 && !trace_.host_ops.empty())
    trace_.remarks.push_back({"no_shapes",
                              "No operator carries shapes, so no work can be counted. Record with "
                              "record_shapes=True."});
}

GpuTrace KinetoReader::finish() && {
  if (trace_.events.empty())
    throw Error(ErrorKind::kInput, file_.string(),
                n_profiler_ranges_ > 0
                    ? fmt::format("holds no GPU times, only {} ranges of the counter profiler.", n_profiler_ranges_)
                    : "holds no GPU work.",
                "Record with ProfilerActivity.CUDA and without counters.");
  nest_operators();
  link_launches();
  add_remarks();
  trace_.steps = std::move(steps_).take();
  trace_.names = std::move(names_).take();
  return std::move(trace_);
}

}  // namespace

GpuTrace read_kineto_trace(const fs::path& file, const NameRules& rules) {
  KinetoReader reader(file, rules);
  cut_json(file, reader);
  return std::move(reader).finish();
}

}  // namespace dachlast
