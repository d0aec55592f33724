#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

// How long one operation takes on a GPU: laws of few constants, each fitted to measured operator times by
// scripts/fit-efficiency.py. Efficiencies are shares of the device's listed peak and bandwidth, so that a device nobody measured
// can take those of its family.
namespace dachlast {

/// Operations that have a law of their own.
enum class OpLaw : std::uint8_t {
  kGemm,
  kDecode,
  kPrefill,
  kLatentDecode,
  kLatentPrefill,
  kExperts,
  kStream,
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kAllToAll
};
inline constexpr std::array<std::string_view, 11> kOpLawNames = {
    "gemm",   "decode",     "prefill",    "latent_decode",  "latent_prefill", "experts",
    "stream", "all_reduce", "all_gather", "reduce_scatter", "alltoall"};

constexpr std::string_view name_of(OpLaw law) {
  return kOpLawNames[static_cast<std::size_t>(law)];
}

/// Constants of the laws, named as in the data files; each law uses some of them.
enum class LawConstant : std::uint8_t {
  kFloorUs,
  kMemory,   // share of the listed bandwidth
  kCompute,  // share of the listed peak
  kJoin,     // p of (a^p + b^p)^(1/p): how sharply one roof gives way to the other
  kPerKNs,
  kQuantize,
  kKOffset,
  kTail,  // cost of the empty places in the last wave, 1: as if they were full
  kSmallTile,
  kPerWaveUs,
  kCached,
  kBlock,
  kPerSplitNs,
  kExtraKeys,
  kWidth,
  kPerExpertNs,
  kPerRowNs,
  kExtraRows,
  kOffset,
  kActivations,
  kSqrtUs,
  kGbS,
  kUnitGbS,     // what one unit draws from memory at most; 0: no such limit
  kVectorRows,  // up to so many rows kernels without tiles run, which only wait for memory; 0: none
  kWidenBytes   // moved further for each weight that is widened beforehand, each score that is kept in memory
};
inline constexpr std::array<std::string_view, 25> kLawConstantNames = {
    "floor_us", "memory",        "compute",     "join",       "per_k_ns", "quantize",     "k_offset",
    "tail",     "small_tile",    "per_wave_us", "cached",     "block",    "per_split_ns", "extra_keys",
    "width",    "per_expert_ns", "per_row_ns",  "extra_rows", "offset",   "activations",  "sqrt_us",
    "gb_s",     "unit_gb_s",     "vector_rows", "widen_bytes"};

/// The fitted constants of one law on one device for one backend's kernels and one type of operands.
struct EfficiencyCurve {
  OpLaw law = OpLaw::kGemm;
  std::string device;            // measured on
  std::string kernels;           // "vllm", "tensorrt-llm", "nccl"
  std::string type;              // "bf16", "fp8_block", "nvfp4", "int4_weights", …; "any"
  int n_devices = 1;             // of a collective
  double sustained = 1.0;        // share of the measured rate of products that a device keeps under its power limit
  double held_out_median = 0.0;  // |error| on shapes that were not fitted
  double held_out_p90 = 0.0;
  std::array<double, kLawConstantNames.size()> constants{};

  double operator[](LawConstant constant) const { return constants[static_cast<std::size_t>(constant)]; }
};

/// Listed rates of the device that time is asked for.
struct DeviceRates {
  double bandwidth = 0.0;  // bytes/s
  double cache_bytes = 0.0;
  double n_units = 1.0;
};

/// y[m, n] = x[m, k] · W[n, k]ᵀ with weights of `weight_bytes` an element against a peak of `peak` FLOP/s.
struct GemmCall {
  double m = 0.0;
  double n = 0.0;
  double k = 0.0;
  double weight_bytes = 2.0;
  double peak = 0.0;
  bool quantizes_input = false;

  friend bool operator==(const GemmCall&, const GemmCall&) = default;
};

/// floor + join(Tc, Tm) + c_k k + c_q 3mk/bandwidth; Tc over whole waves of the best of four tile shapes, the k dimension split
/// where there is less than one wave; Tm the weights and activations once.
/// Source   tile and wave quantization: https://docs.nvidia.com/deeplearning/performance/dl-performance-matrix-multiplication
double gemm_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const GemmCall& call);

/// One new token for each of `batch` sequences of `kv_len` tokens.
struct DecodeCall {
  double batch = 0.0;
  double kv_len = 0.0;     // visible tokens
  double kv_heads = 1.0;   // on this device
  double group = 1.0;      // query heads of a KV head
  double dims = 256.0;     // width of q·k plus width of what is summed
  double row_bytes = 0.0;  // of one token and KV head
  double peak = 0.0;

  friend bool operator==(const DecodeCall&, const DecodeCall&) = default;
};

/// floor + waves + join(cache traffic, products on query groups padded to 16 rows, one block streaming its split of the cache).
/// Source   split-KV occupancy: flash-decoding, https://crfm.stanford.edu/2023/10/12/flashdecoding.html
double decode_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const DecodeCall& call);

/// `q_len` new tokens of each of `batch` sequences that then hold `kv_len`.
struct PrefillCall {
  double batch = 1.0;
  double q_len = 0.0;
  double kv_len = 0.0;
  double window = 0.0;  // 0: all earlier tokens
  double n_heads = 1.0;
  double kv_heads = 1.0;
  double dims = 256.0;
  double row_bytes = 0.0;
  double peak = 0.0;

  friend bool operator==(const PrefillCall&, const PrefillCall&) = default;
};

/// floor + waves + join(products over whole waves of 128-row tiles, traffic, scores where kernels keep them in memory).
double prefill_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const PrefillCall& call);

/// The routed experts of one layer on one device.
struct ExpertsCall {
  double rows = 0.0;     // token-expert pairs of this device
  double experts = 1.0;  // held here
  double touched = 1.0;  // of them by at least one token
  double hidden = 0.0;
  double inter = 0.0;     // of this device's slice
  double products = 3.0;  // 2 where there is no gate
  double weight_bytes = 2.0;
  double peak = 0.0;

  friend bool operator==(const ExpertsCall&, const ExpertsCall&) = default;
};

/// floor + per expert + per row + join(touched weights, padded products) + activations.
double experts_seconds(const EfficiencyCurve& curve, const DeviceRates& device, const ExpertsCall& call);

/// An elementwise operation.
double stream_seconds(const EfficiencyCurve& curve, const DeviceRates& device, double bytes);

/// A collective over `curve.n_devices`: floor + c √bytes + bytes/β. The middle term is what chunks and flags cost.
double message_seconds(const EfficiencyCurve& curve, double bytes);

}  // namespace dachlast
