#include "core/store/record_json.h"

#include <optional>

#include "core/store/enum_names.h"
#include "core/store/json_fields.h"

namespace dachlast {
namespace {

using nlohmann::json;

constexpr auto kRoofSample = [](auto& fields, auto& sample) {
  fields("median", sample.median);
  fields("min", sample.min);
  fields("max", sample.max);
  fields("n", sample.n);
};

json sample_json(const RoofSample& sample) {
  json j;
  write_fields(j, sample, kRoofSample);
  return j;
}

RoofSample sample_from(const json& j) {
  RoofSample sample;
  read_fields(j, sample, kRoofSample);
  return sample;
}

template <class Enum, std::size_t n>
std::optional<Enum> enum_from(const json& j, const Enum (&candidates)[n]) {
  return enum_from_name(j.get<std::string>(), candidates);
}

json bandwidth_json(const BandwidthRoof& roof) {
  return {{"level", name_of(roof.level)},
          {"pattern", name_of(roof.pattern)},
          {"n_threads", roof.n_threads},
          {"working_set_bytes", roof.working_set_bytes},
          {"bytes_per_s", sample_json(roof.bytes_per_s)},
          {"origin", name_of(roof.origin)},
          {"probe", roof.probe}};
}

std::optional<BandwidthRoof> bandwidth_from(const json& j) {
  const auto level = enum_from(j.at("level"), kAllLevels);
  const auto pattern = enum_from(j.at("pattern"), kAllPatterns);
  const auto origin = enum_from(j.at("origin"), kAllOrigins);
  if (!level || !pattern || !origin) return std::nullopt;
  return BandwidthRoof{*level,
                       *pattern,
                       j.at("n_threads").get<int>(),
                       j.at("working_set_bytes").get<double>(),
                       sample_from(j.at("bytes_per_s")),
                       *origin,
                       j.value("probe", "")};
}

json compute_json(const ComputeRoof& roof) {
  return {{"dtype", name_of(roof.dtype)},
          {"instruction", roof.instruction},
          {"n_threads", roof.n_threads},
          {"ops_per_s", sample_json(roof.ops_per_s)},
          {"origin", name_of(roof.origin)}};
}

std::optional<ComputeRoof> compute_from(const json& j) {
  const auto dtype = enum_from(j.at("dtype"), kAllDTypes);
  const auto origin = enum_from(j.at("origin"), kAllOrigins);
  if (!dtype || !origin) return std::nullopt;
  return ComputeRoof{*dtype, j.at("instruction").get<std::string>(), j.at("n_threads").get<int>(),
                     sample_from(j.at("ops_per_s")), *origin};
}

constexpr auto kCache = [](auto& fields, auto& cache) {
  fields("level", cache.level);
  fields("size_bytes", cache.size_bytes);
  fields("n_instances", cache.n_instances);
};

constexpr auto kHost = [](auto& fields, auto& host) {
  fields("cpu_name", host.cpu_name);
  fields("n_packages", host.n_packages);
  fields("n_cores", host.n_cores);
  fields("n_hardware_threads", host.n_hardware_threads);
  fields("n_numa_nodes", host.n_numa_nodes);
  fields.list("caches", host.caches, kCache);
  fields("memory_bytes", host.memory_bytes);
  fields("available_memory_bytes", host.available_memory_bytes);
  fields("isa", host.isa);
  fields("core_ids", host.core_ids);
};

constexpr auto kGpuRoof = [](auto& fields, auto& roof) {
  fields("what", roof.what);
  fields("with", roof.with);
  fields.record("sample", roof.sample, kRoofSample);
};

constexpr auto kGpuRoofs = [](auto& fields, auto& roofs) {
  fields("device", roofs.device);
  fields("host_id", roofs.host_id);
  fields("index", roofs.index);
  fields("compute_capability", roofs.compute_capability);
  fields("measured_at", roofs.measured_at);
  fields.list("bandwidths", roofs.bandwidths, kGpuRoof);
  fields.list("peaks", roofs.peaks, kGpuRoof);
  fields.list("latencies", roofs.latencies, kGpuRoof);
  fields("not_measured", roofs.not_measured);
};

constexpr auto kModel = [](auto& fields, auto& model) {
  fields("name", model.name);
  fields("architecture", model.architecture);
  fields("n_parameters", model.n_parameters);
  fields("weight_bytes", model.weight_bytes);
  fields("config_hash", model.config_hash);
  fields("weights", model.weights);
  fields("random_weights", model.random_weights);
  fields("max_context", model.max_context);
};

constexpr auto kGeneration = [](auto& fields, auto& generation) {
  fields("prompt_ids", generation.prompt_ids);
  fields("generated_ids", generation.generated_ids);
  fields("text", generation.text);
};

constexpr auto kUncached = [](auto& fields, auto& comparison) {
  fields("prompt_tokens", comparison.prompt_tokens);
  fields("cached_s", comparison.cached_s);
  fields("uncached_s", comparison.uncached_s);
  fields("n_repeats", comparison.n_repeats);
};

/// 0 where an older version wrote fewer columns.
double number_at(const json& row, std::size_t column) {
  return column < row.size() ? row.at(column).get<double>() : 0.0;
}

}  // namespace

std::string dump(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

void to_json(json& j, const HostTopology& host) {
  write_fields(j, host, kHost);
}
void from_json(const json& j, HostTopology& host) {
  read_fields(j, host, kHost);
}

void to_json(json& j, const DeviceRoofs& roofs) {
  j = {{"device", roofs.device}, {"host_id", roofs.host_id}, {"measured_at", roofs.measured_at}};
  j["bandwidths"] = json::array();
  for (const BandwidthRoof& roof : roofs.bandwidths) j["bandwidths"].push_back(bandwidth_json(roof));
  j["computes"] = json::array();
  for (const ComputeRoof& roof : roofs.computes) j["computes"].push_back(compute_json(roof));
}

DeviceRoofs roofs_from_json(const json& j, std::vector<std::string>& skipped) {
  DeviceRoofs roofs;
  j.at("device").get_to(roofs.device);
  j.at("host_id").get_to(roofs.host_id);
  j.at("measured_at").get_to(roofs.measured_at);
  for (const json& roof : j.at("bandwidths")) {
    const auto known = bandwidth_from(roof);
    if (known)
      roofs.bandwidths.push_back(*known);
    else
      skipped.push_back("bandwidth roof " + roof.at("level").get<std::string>());
  }
  for (const json& roof : j.at("computes")) {
    const auto known = compute_from(roof);
    if (known)
      roofs.computes.push_back(*known);
    else
      skipped.push_back("compute roof " + roof.at("dtype").get<std::string>());
  }
  return roofs;
}

void to_json(json& j, const GpuRoofs& roofs) {
  write_fields(j, roofs, kGpuRoofs);
}
void from_json(const json& j, GpuRoofs& roofs) {
  read_fields(j, roofs, kGpuRoofs);
}

void to_json(json& j, const HostCurves& curves) {
  j = {{"measured_at", curves.measured_at}, {"last_cache_bytes", curves.last_cache_bytes}, {"gap_s", curves.gap_s}};
  j["samples"] = json::array();
  for (const OpSample& sample : curves.samples) {
    const OpFeatures& f = sample.features;
    j["samples"].push_back({name_of(f.op), f.type, name_of(sample.level), f.rows, f.n, f.k, f.heads, f.kv_heads,
                            f.flops, sample.seconds, f.bytes, sample.dram_rate});
  }
}

void from_json(const json& j, HostCurves& curves) {
  j.at("measured_at").get_to(curves.measured_at);
  j.at("last_cache_bytes").get_to(curves.last_cache_bytes);
  j.at("gap_s").get_to(curves.gap_s);
  for (const json& row : j.at("samples")) {
    const auto op = op_kind_from_name(row.at(0).get<std::string>());
    const auto level = enum_from(row.at(2), kAllLevels);
    const double seconds = row.at(9).get<double>();
    if (!op || !level || !(seconds > 0.0)) continue;  // of another version, or no time at all
    curves.samples.push_back(
        {{*op, row.at(1).get<std::string>(), row.at(3).get<double>(), row.at(4).get<double>(), row.at(5).get<double>(),
          row.at(6).get<double>(), row.at(7).get<double>(), row.at(8).get<double>(), number_at(row, 10)},
         *level,
         seconds,
         number_at(row, 11)});
  }
}

void to_json(json& j, const ModelInfo& model) {
  write_fields(j, model, kModel);
}
void from_json(const json& j, ModelInfo& model) {
  read_fields(j, model, kModel);
}

void to_json(json& j, const Generation& generation) {
  write_fields(j, generation, kGeneration);
}
void from_json(const json& j, Generation& generation) {
  read_fields(j, generation, kGeneration);
}

void to_json(json& j, const UncachedComparison& comparison) {
  write_fields(j, comparison, kUncached);
}
void from_json(const json& j, UncachedComparison& comparison) {
  read_fields(j, comparison, kUncached);
}

}  // namespace dachlast
