#include "core/store/record_json.h"

#include <optional>

#include "core/store/enum_names.h"

namespace dachlast {
namespace {

using nlohmann::json;

json sample_json(const RoofSample& sample) {
  return {{"median", sample.median}, {"min", sample.min}, {"max", sample.max}, {"n", sample.n}};
}

RoofSample sample_from(const json& j) {
  return {j.at("median").get<double>(), j.at("min").get<double>(), j.at("max").get<double>(), j.at("n").get<int>()};
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

/// 0 where an older version wrote fewer columns.
double number_at(const json& row, std::size_t column) {
  return column < row.size() ? row.at(column).get<double>() : 0.0;
}

}  // namespace

std::string dump(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

void to_json(json& j, const HostTopology& host) {
  json caches = json::array();
  for (const CacheLevel& cache : host.caches)
    caches.push_back({{"level", cache.level}, {"size_bytes", cache.size_bytes}, {"n_instances", cache.n_instances}});
  j = {{"cpu_name", host.cpu_name},
       {"n_packages", host.n_packages},
       {"n_cores", host.n_cores},
       {"n_hardware_threads", host.n_hardware_threads},
       {"n_numa_nodes", host.n_numa_nodes},
       {"caches", caches},
       {"memory_bytes", host.memory_bytes},
       {"available_memory_bytes", host.available_memory_bytes},
       {"isa", host.isa},
       {"core_ids", host.core_ids}};
}

void from_json(const json& j, HostTopology& host) {
  j.at("cpu_name").get_to(host.cpu_name);
  j.at("n_packages").get_to(host.n_packages);
  j.at("n_cores").get_to(host.n_cores);
  j.at("n_hardware_threads").get_to(host.n_hardware_threads);
  j.at("n_numa_nodes").get_to(host.n_numa_nodes);
  host.caches.clear();
  for (const json& cache : j.at("caches"))
    host.caches.push_back(
        {cache.at("level").get<int>(), cache.at("size_bytes").get<double>(), cache.at("n_instances").get<int>()});
  j.at("memory_bytes").get_to(host.memory_bytes);
  j.at("available_memory_bytes").get_to(host.available_memory_bytes);
  j.at("isa").get_to(host.isa);
  j.at("core_ids").get_to(host.core_ids);
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
  j = {{"name", model.name},
       {"architecture", model.architecture},
       {"n_parameters", model.n_parameters},
       {"weight_bytes", model.weight_bytes},
       {"config_hash", model.config_hash},
       {"weights", model.weights},
       {"random_weights", model.random_weights},
       {"max_context", model.max_context}};
}

void from_json(const json& j, ModelInfo& model) {
  j.at("name").get_to(model.name);
  j.at("architecture").get_to(model.architecture);
  j.at("n_parameters").get_to(model.n_parameters);
  j.at("weight_bytes").get_to(model.weight_bytes);
  j.at("config_hash").get_to(model.config_hash);
  j.at("weights").get_to(model.weights);
  j.at("random_weights").get_to(model.random_weights);
  j.at("max_context").get_to(model.max_context);
}

void to_json(json& j, const Generation& generation) {
  j = {{"prompt_ids", generation.prompt_ids}, {"generated_ids", generation.generated_ids}, {"text", generation.text}};
}

void from_json(const json& j, Generation& generation) {
  j.at("prompt_ids").get_to(generation.prompt_ids);
  j.at("generated_ids").get_to(generation.generated_ids);
  j.at("text").get_to(generation.text);
}

void to_json(json& j, const UncachedComparison& comparison) {
  j = {{"prompt_tokens", comparison.prompt_tokens},
       {"cached_s", comparison.cached_s},
       {"uncached_s", comparison.uncached_s},
       {"n_repeats", comparison.n_repeats}};
}

void from_json(const json& j, UncachedComparison& comparison) {
  j.at("prompt_tokens").get_to(comparison.prompt_tokens);
  j.at("cached_s").get_to(comparison.cached_s);
  j.at("uncached_s").get_to(comparison.uncached_s);
  j.at("n_repeats").get_to(comparison.n_repeats);
}

}  // namespace dachlast
