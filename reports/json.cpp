#include "reports/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/roofline/point_summary.h"
#include "core/viewmodel/verdict_text.h"
#include "reports/json_parts.h"

namespace dachlast::reports {
namespace {

Json time_json(const Spread& time, const std::vector<double>& samples) {
  Json json;
  put(json, "median", time.median);
  if (time.kind == SpreadKind::kP5P95) {
    put(json, "p5", time.low);
    put(json, "p95", time.high);
  }
  put(json, "min", std::ranges::min(samples));
  put(json, "max", std::ranges::max(samples));
  json["n"] = time.n;
  return json;
}

void put_cost(Json& json, const OpCost& cost) {
  put(json, "flops", cost.flops.value);
  put(json, "bytes", cost.bytes().value);
  put(json, "weight_bytes", cost.weight_bytes.value);
  put(json, "activation_bytes", cost.activation_bytes.value);
  put(json, "kv_read_bytes", cost.kv_read_bytes.value);
  put(json, "kv_write_bytes", cost.kv_write_bytes.value);
}

void put_verdict(Json& json, const std::optional<Verdict>& verdict) {
  if (!verdict) return;
  json["bound"] = name_of(verdict->bound);
  put(json["utilisation"], "memory", verdict->utilisation.memory);
  put(json["utilisation"], "compute", verdict->utilisation.compute);
  if (verdict->reason != LatencyReason::kNone) {
    json["latency_reason"] = name_of(verdict->reason);
    json["latency_reason_text"] = viewmodel::latency_reason_text(*verdict);
  }
  put(json, "speedup_at_roof", verdict->speedup_at_roof);
  json["memory_roof"] = name_of(verdict->load.level);
  json["compute_roof"] = name_of(verdict->load.dtype);
  if (!verdict->roof_remark.empty()) json["roof_remark"] = verdict->roof_remark;
}

Json op_json(const OpSummary& op) {
  Json json;
  json["op"] = name_of(op.op);
  json["calls"] = op.n_calls;
  put(json, "time_s", op.time.value);
  put(json, "share", op.share);
  put_cost(json, op.cost);
  if (op.intensity) put(json, "intensity_flop_per_byte", op.intensity->value);
  put_verdict(json, op.verdict);
  return json;
}

/// Whole numbers without the point and zero that tell nothing.
Json short_number(double value) {
  constexpr double kMostExact = 9007199254740992.0;  // 2^53: above, a double no longer tells neighbours apart
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::abs(value) <= kMostExact) return static_cast<std::int64_t>(value);
  return value;
}

/// The operations of a point as columns, without what follows from them: a list of them names its keys once for each, and
/// two thirds of a report were such names.
Json op_columns(const MeasuredPoint& point, const PointSummary& summary) {
  Json columns;
  for (std::size_t i = 0; i < point.ops.size(); ++i) {
    const OpMeasurement& op = point.ops[i];
    const auto& verdict = summary.ops[i].verdict;
    columns["op"].push_back(name_of(op.op));
    columns["calls"].push_back(op.n_calls);
    columns["time_s"].push_back(short_number(op.time.value));
    columns["flops"].push_back(short_number(op.cost.flops.value));
    columns["weight_bytes"].push_back(short_number(op.cost.weight_bytes.value));
    columns["activation_bytes"].push_back(short_number(op.cost.activation_bytes.value));
    columns["kv_read_bytes"].push_back(short_number(op.cost.kv_read_bytes.value));
    columns["kv_write_bytes"].push_back(short_number(op.cost.kv_write_bytes.value));
    columns["arithmetic"].push_back(name_of(op.arithmetic));
    columns["bound"].push_back(verdict ? Json(name_of(verdict->bound)) : Json());
  }
  return columns.is_null() ? Json::array() : columns;
}

Json op_list(const MeasuredPoint& point, const PointSummary& summary) {
  Json list = Json::array();
  for (std::size_t i = 0; i < summary.ops.size(); ++i) {
    list.push_back(op_json(summary.ops[i]));
    list.back()["arithmetic"] = name_of(point.ops[i].arithmetic);
  }
  return list;
}

Json point_json(const Run& run, const MeasuredPoint& point, JsonLayout layout) {
  Json json;
  json["phase"] = name_of(point.phase);
  json["context_tokens"] = point.context_tokens;
  if (point.depth_tokens > 0) json["depth_tokens"] = point.depth_tokens;
  json["batch"] = point.batch_size;
  json["kv_cache"] = name_of(point.kv_policy);
  const auto summary = summarise(run, point);
  if (!summary) {
    json["absent"] = "no step was timed";
    return json;
  }
  json["time_s"] = time_json(summary->time_s, point.samples_s);
  put(json, "tokens_per_s", summary->tokens_per_s);
  put_cost(json, summary->cost);
  if (summary->intensity) put(json, "intensity_flop_per_byte", summary->intensity->value);
  put_verdict(json, summary->verdict);
  if (point.predicted_s) put(json, "predicted_s", *point.predicted_s);
  put(json, "busy_share", point.busy_share);
  json["stop_reason"] = point.stop_reason;
  json["ops"] = layout == JsonLayout::kCompact ? op_columns(point, *summary) : op_list(point, *summary);
  if (point.kv_traffic) json["kv_traffic"] = kv_traffic_json(*point.kv_traffic);
  json["remarks"] = remarks_json(point.remarks);
  json["samples_s"] = Json::array();
  for (const double sample : point.samples_s)
    if (std::isfinite(sample)) json["samples_s"].push_back(sample);
  return json;
}

Json host_json(const HostTopology& host) {
  Json json;
  json["cpu"] = host.cpu_name;
  json["packages"] = host.n_packages;
  json["cores"] = host.n_cores;
  json["hardware_threads"] = host.n_hardware_threads;
  json["numa_nodes"] = host.n_numa_nodes;
  put(json, "memory_bytes", host.memory_bytes);
  json["caches"] = Json::array();
  for (const auto& cache : host.caches) {
    Json entry;
    entry["level"] = cache.level;
    put(entry, "size_bytes", cache.size_bytes);
    entry["instances"] = cache.n_instances;
    json["caches"].push_back(std::move(entry));
  }
  json["isa"] = host.isa;
  return json;
}

Json model_json(const Run& run) {
  Json json;
  json["name"] = run.model.name;
  json["architecture"] = run.model.architecture;
  put(json, "parameters", run.model.n_parameters);
  put(json, "weight_bytes", run.model.weight_bytes);
  json["config_hash"] = run.model.config_hash;
  json["weights"] = run.model.weights;
  json["random_weights"] = run.model.random_weights;
  json["max_context_tokens"] = run.model.max_context;
  json["dtype"] = name_of(run.precision.weights);
  json["kv_dtype"] = name_of(run.precision.kv.format);
  json["kv"] = run.kv;
  return json;
}

Json device_json(const Run& run) {
  Json json;
  json["name"] = run.roofs.device;
  json["threads"] = run.n_threads;
  json["host"] = host_json(run.host);
  json["roofs"] = roofs_json(run.roofs);
  return json;
}

Json memory_json(const MemoryReading& memory) {
  Json json;
  put(json, "modelled_bytes", memory.modelled_bytes);
  put(json, "program_bytes", memory.program_bytes);
  put(json, "resident_bytes", memory.resident_bytes);
  put(json, "unaccounted_bytes", memory.unaccounted_bytes());
  return json;
}

// Which of the keys above are measured and which counted, once for all points.
Json origins_json() {
  Json json;
  for (const char* key : {"time_s", "tokens_per_s", "samples_s", "utilisation", "share", "busy_share"})
    json[key] = name_of(Origin::kMeasured);
  for (const char* key : {"flops", "bytes", "weight_bytes", "activation_bytes", "kv_read_bytes", "kv_write_bytes",
                          "intensity_flop_per_byte", "calls"})
    json[key] = name_of(Origin::kExact);
  json["speedup_at_roof"] = name_of(Origin::kEstimated);
  return json;
}

Json generation_json(const Generation& generation) {
  Json json;
  json["prompt_ids"] = generation.prompt_ids;
  json["generated_ids"] = generation.generated_ids;
  json["text"] = generation.text;
  return json;
}

}  // namespace

Json roofs_json(const DeviceRoofs& roofs) {
  Json json;
  json["device"] = roofs.device;
  json["host_id"] = roofs.host_id;
  json["measured_at"] = roofs.measured_at;
  json["bandwidths"] = Json::array();
  for (const auto& roof : roofs.bandwidths) {
    Json entry;
    entry["level"] = name_of(roof.level);
    entry["pattern"] = name_of(roof.pattern);
    entry["threads"] = roof.n_threads;
    put(entry, "working_set_bytes", roof.working_set_bytes);
    put_sample(entry, "bytes_per_s", roof.bytes_per_s);
    if (!roof.probe.empty()) entry["probe"] = roof.probe;
    entry["origin"] = name_of(roof.origin);
    json["bandwidths"].push_back(std::move(entry));
  }
  json["computes"] = Json::array();
  for (const auto& roof : roofs.computes) {
    Json entry;
    entry["dtype"] = name_of(roof.dtype);
    entry["instruction"] = roof.instruction;
    entry["threads"] = roof.n_threads;
    put_sample(entry, "ops_per_s", roof.ops_per_s);
    entry["origin"] = name_of(roof.origin);
    json["computes"].push_back(std::move(entry));
  }
  return json;
}

std::string json_run(const Run& run, JsonLayout layout) {
  Json json;
  json["schema"] = "dachlast.run/1";
  json["id"] = run.id;
  json["created_at"] = run.created_at;
  json["program_version"] = run.program_version;
  json["command"] = run.command;
  json["complete"] = run.complete;
  json["planned_points"] = run.planned_points;
  put(json, "bound_threshold", run.bound_threshold);
  json["device"] = device_json(run);
  json["model"] = model_json(run);
  json["attention_variant"] = run.attention_variant;
  json["points"] = Json::array();
  for (const auto& point : run.points) json["points"].push_back(point_json(run, point, layout));
  if (run.uncached) json["uncached"] = uncached_json(*run.uncached);
  if (run.serving) json["serving"] = serving_json(*run.serving);
  if (run.what_if) json["what_if"] = what_if_json(*run.what_if);
  if (run.break_even) json["kv_break_even"] = break_even_json(*run.break_even);
  if (run.memory) json["process_memory"] = memory_json(*run.memory);
  if (run.generation) json["generation"] = generation_json(*run.generation);
  json["origins"] = origins_json();
  json["warnings"] = remarks_json(run.warnings);
  json["assumptions"] = remarks_json(run.assumptions);
  return (layout == JsonLayout::kCompact ? line_of(json) : text_of(json)) + "\n";
}

std::string jsonl_point(const Run& run, const MeasuredPoint& point) {
  Json json;
  json["schema"] = "dachlast.point/1";
  json["run"] = run.id;
  json["model"] = run.model.name;
  json["device"] = run.roofs.device;
  json.update(point_json(run, point, JsonLayout::kIndented));
  return line_of(json) + "\n";
}

std::string jsonl_run(const Run& run) {
  std::string lines;
  for (const auto& point : run.points) lines += jsonl_point(run, point);
  return lines;
}

std::string json_roofs(const DeviceRoofs& roofs) {
  Json json;
  json["schema"] = "dachlast.roofs/1";
  json.update(roofs_json(roofs));
  return text_of(json) + "\n";
}

namespace {

Json gpu_roof_list(const std::vector<GpuRoof>& roofs) {
  Json list = Json::array();
  for (const GpuRoof& roof : roofs)
    list.push_back({{"what", roof.what},
                    {"with", roof.with},
                    {"median", roof.sample.median},
                    {"min", roof.sample.min},
                    {"max", roof.sample.max},
                    {"n", roof.sample.n}});
  return list;
}

}  // namespace

std::string json_gpu_roofs(const GpuRoofs& roofs) {
  Json json;
  json["schema"] = "dachlast.gpu_roofs/1";
  json["device"] = roofs.device;
  json["index"] = roofs.index;
  json["compute_capability"] = roofs.compute_capability;
  json["measured_at"] = roofs.measured_at;
  json["bytes_per_s"] = gpu_roof_list(roofs.bandwidths);
  json["ops_per_s"] = gpu_roof_list(roofs.peaks);
  json["seconds"] = gpu_roof_list(roofs.latencies);
  json["not_measured"] = roofs.not_measured;
  return text_of(json) + "\n";
}

}  // namespace dachlast::reports
