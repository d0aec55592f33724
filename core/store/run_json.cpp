#include "core/store/run_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "core/base/error.h"
#include "core/store/document_fields.h"
#include "core/store/enum_names.h"

namespace dachlast {
namespace {

using nlohmann::json;

constexpr std::string_view kRunSchema = "dachlast.run/";
constexpr std::string_view kKnownSchema = "dachlast.run/1";

// A report of 200 points takes half a megabyte.
constexpr std::uintmax_t kLargestDocument = 256ull << 20;

/// Reads the public schema, whose keys carry units; `record_json` reads the private one of run files.
class DocumentReader : private DocumentFields {
 public:
  explicit DocumentReader(const std::string& subject) : DocumentFields(subject) {}

  StoredRun read(const json& document) {
    require_schema(document);
    Run& run = stored_.run;
    run.id = text(document, "id");
    run.created_at = text(document, "created_at");
    run.program_version = text(document, "program_version");
    run.command = text(document, "command");
    run.complete = document.value("complete", false);
    run.planned_points = count(document, "planned_points");
    run.bound_threshold = number(document, "bound_threshold");
    run.attention_variant = text(document, "attention_variant");
    read_model(document.at("model"));
    read_device(document.at("device"));
    for (const json& point : document.at("points")) read_point(point);
    read_extras(document);
    run.warnings = remarks(document, "warnings");
    run.assumptions = remarks(document, "assumptions");
    stored_.timelines.resize(run.points.size());
    return std::move(stored_);
  }

 private:
  void require_schema(const json& document) {
    const std::string schema = document.is_object() ? document.value("schema", "") : std::string();
    if (!schema.starts_with(kRunSchema))
      refuse(schema.empty() ? "it holds no data of Dachlast." : fmt::format("it holds {}, and no run.", schema),
             "Give a run file, or the report or JSON of a run.");
    if (schema != kKnownSchema) stored_.skipped.push_back(fmt::format("what is new in {}", schema));
  }

  void read_model(const json& j) {
    Run& run = stored_.run;
    run.model = {text(j, "name"),
                 text(j, "architecture"),
                 number(j, "parameters"),
                 number(j, "weight_bytes"),
                 text(j, "config_hash"),
                 text(j, "weights"),
                 j.value("random_weights", false),
                 count(j, "max_context_tokens")};
    const std::string dtype = text(j, "dtype");
    const std::string kv_dtype = text(j, "kv_dtype");
    run.precision.weights = required(weight_type_from_name(dtype), "weight type", dtype);
    run.precision.kv.format = required(kv_format_from_name(kv_dtype), "KV cache format", kv_dtype);
    run.kv = j.value("kv", run.kv);
  }

  void read_device(const json& j) {
    Run& run = stored_.run;
    run.n_threads = std::max(1, count(j, "threads"));
    const json& host = j.at("host");
    run.host.cpu_name = text(host, "cpu");
    run.host.n_packages = count(host, "packages");
    run.host.n_cores = count(host, "cores");
    run.host.n_hardware_threads = count(host, "hardware_threads");
    run.host.n_numa_nodes = count(host, "numa_nodes");
    run.host.memory_bytes = number(host, "memory_bytes");
    run.host.isa = host.value("isa", std::vector<std::string>());
    if (host.contains("caches"))
      for (const json& cache : host.at("caches"))
        run.host.caches.push_back({count(cache, "level"), number(cache, "size_bytes"), count(cache, "instances")});
    read_roofs(j.at("roofs"));
  }

  RoofSample sample(const json& j, const std::string& key) const {
    return {number(j, key.c_str()), number(j, (key + "_min").c_str()), number(j, (key + "_max").c_str()),
            count(j, "n")};
  }

  void read_roofs(const json& j) {
    DeviceRoofs& roofs = stored_.run.roofs;
    roofs.device = text(j, "device");
    roofs.host_id = text(j, "host_id");
    roofs.measured_at = text(j, "measured_at");
    for (const json& roof : j.at("bandwidths")) {
      const auto level = enum_from_name(text(roof, "level"), kAllLevels);
      const auto pattern = enum_from_name(text(roof, "pattern"), kAllPatterns);
      const auto origin = enum_from_name(text(roof, "origin"), kAllOrigins);
      if (level && pattern && origin)
        roofs.bandwidths.push_back({*level, *pattern, count(roof, "threads"), number(roof, "working_set_bytes"),
                                    sample(roof, "bytes_per_s"), *origin, text(roof, "probe")});
      else
        stored_.skipped.push_back("bandwidth roof " + text(roof, "level"));
    }
    for (const json& roof : j.at("computes")) {
      const auto dtype = dtype_from_name(text(roof, "dtype"));
      const auto origin = enum_from_name(text(roof, "origin"), kAllOrigins);
      if (dtype && origin)
        roofs.computes.push_back(
            {*dtype, text(roof, "instruction"), count(roof, "threads"), sample(roof, "ops_per_s"), *origin});
      else
        stored_.skipped.push_back("compute roof " + text(roof, "dtype"));
    }
  }

  OpCost cost(const json& j) const {
    return {Flops{number(j, "flops")}, Bytes{number(j, "weight_bytes")}, Bytes{number(j, "activation_bytes")},
            Bytes{number(j, "kv_read_bytes")}, Bytes{number(j, "kv_write_bytes")}};
  }

  void read_point(const json& j) {
    const auto phase = enum_from_name(text(j, "phase"), kAllPhases);
    const auto policy = enum_from_name(text(j, "kv_cache"), kAllKvPolicies);
    if (!phase || !policy) {
      stored_.skipped.push_back(fmt::format("point of phase {}", text(j, "phase")));
      return;
    }
    MeasuredPoint point;
    point.phase = *phase;
    point.kv_policy = *policy;
    point.context_tokens = count(j, "context_tokens");
    if (j.contains("depth_tokens")) point.depth_tokens = count(j, "depth_tokens");
    point.batch_size = count(j, "batch");
    point.samples_s = numbers(j, "samples_s");
    point.cost = cost(j);
    point.stop_reason = text(j, "stop_reason");
    point.busy_share = number(j, "busy_share");
    point.remarks = remarks(j, "remarks");
    if (j.contains("predicted_s")) point.predicted_s = number(j, "predicted_s");
    if (j.contains("kv_traffic")) point.kv_traffic = kv_traffic_from(*this, j.at("kv_traffic"));
    if (j.contains("ops"))
      for (const json& op : records(j, "ops")) read_op(op, point);
    stored_.run.points.push_back(std::move(point));
  }

  void read_op(const json& j, MeasuredPoint& point) {
    const auto kind = op_kind_from_name(text(j, "op"));
    // Reports written before the key existed name the type where a verdict refers to its roof.
    const auto arithmetic = dtype_from_name(j.value("arithmetic", j.value("compute_roof", "f32")));
    if (!kind || !arithmetic) {
      stored_.skipped.push_back("operation " + text(j, "op"));
      return;
    }
    point.ops.push_back({*kind, count(j, "calls"), Seconds{number(j, "time_s")}, cost(j), *arithmetic});
  }

  void read_extras(const json& document) {
    Run& run = stored_.run;
    if (document.contains("generation")) {
      const json& j = document.at("generation");
      run.generation = Generation{j.value("prompt_ids", std::vector<std::int32_t>()),
                                  j.value("generated_ids", std::vector<std::int32_t>()), text(j, "text")};
    }
    if (document.contains("uncached")) {
      const json& j = document.at("uncached");
      run.uncached = UncachedComparison{count(j, "prompt_tokens"), numbers(j, "cached_s"), numbers(j, "uncached_s"),
                                        count(j, "repeats")};
      if (run.uncached->cached_s.size() != run.uncached->uncached_s.size())
        refuse_damaged("the times with and without KV cache are not equally many");
    }
    if (document.contains("process_memory")) {
      const json& j = document.at("process_memory");
      run.memory = MemoryReading{number(j, "modelled_bytes"), number(j, "program_bytes"), number(j, "resident_bytes")};
    }
    if (document.contains("serving")) run.serving = serving_from(*this, document.at("serving"));
    if (document.contains("what_if")) run.what_if = what_if_from(*this, document.at("what_if"), stored_.skipped);
    if (document.contains("kv_break_even")) run.break_even = break_even_from(*this, document.at("kv_break_even"));
  }

  StoredRun stored_;
};

}  // namespace

std::optional<std::string> document_text(const std::filesystem::path& file) {
  constexpr std::string_view kMagic = "SQLite format 3";
  std::ifstream in(file, std::ios::binary);
  std::string head(kMagic.size(), ' ');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  in.clear();  // a document cut short may be shorter than the magic
  const std::size_t start = head.find_first_not_of(" \t\r\n");
  if (start == std::string::npos || (head[start] != '<' && head[start] != '{')) return std::nullopt;
  std::error_code error;
  if (std::filesystem::file_size(file, error) > kLargestDocument)
    throw Error(ErrorKind::kInput, file.string(), "is too large for a report or JSON of a run.",
                "Give the run file itself.");
  in.seekg(0);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::string_view document_data(const std::string& subject, std::string_view text) {
  constexpr std::string_view kOpen = "<script type=\"application/json\" id=\"dachlast-data\">";
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return text;
  const std::size_t open = text.find(kOpen);
  const std::size_t close = open == std::string_view::npos ? open : text.find("</script>", open);
  if (close == std::string_view::npos)
    throw Error(ErrorKind::kInput, subject, "this is not a run file, and no report of Dachlast.",
                "Give a file that `dachlast run` or `dachlast report` wrote.");
  return text.substr(open + kOpen.size(), close - open - kOpen.size());
}

StoredRun run_from_document(const std::string& subject, std::string_view text) {
  try {
    return DocumentReader(subject).read(json::parse(document_data(subject, text)));
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kInput, subject, fmt::format("the data in it are damaged: {}.", error.what()),
                "Copy the file again, or repeat the run.");
  }
}

}  // namespace dachlast
