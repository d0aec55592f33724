#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/units.h"
#include "core/hardware/device_spec.h"

namespace dachlast {

/// A setting of an engine with where it was read and why it is so.
template <class Value>
struct Fact {
  Value value{};
  std::string source;  // "owner/repo:path" or a URL
  std::string note;
};

/// What an engine's memory fraction is a fraction of.
enum class BudgetRule : std::uint8_t {
  kFractionOfTotal,  // everything the engine holds ≤ fraction · capacity; the KV cache gets what is left (vLLM)
  kStaticFraction,   // weights and KV cache ≤ fraction · free memory at the start; all else must fit beside (SGLang)
  kFractionOfFree,   // KV cache = fraction · what is free beside weights and a trial step (TensorRT-LLM)
  kWholeDevice       // no budget: buffers are allocated as asked for, until the device refuses (llama.cpp, dachlast)
};

/// What an engine prints as the size of its KV cache in tokens.
enum class TokenReport : std::uint8_t {
  kBlocks,      // blocks / groups of layers · block size
  kConcurrency  // full-length sequences that fit · their length
};

enum class WindowPolicy : std::uint8_t {
  kCapped,     // a window layer keeps its window's tokens
  kFullLength  // every layer keeps every token
};

/// Whether captured graphs are taken off the KV cache or live in what the budget leaves over.
enum class BudgetPart : std::uint8_t { kInside, kOutside };

/// What a model's attention layers keep of a token: keys and values of heads, or one latent vector (MLA).
enum class AttentionCache : std::uint8_t { kHeads, kLatent };

/// Reserve from which a static fraction follows where none is given, in MiB:
///   base + per_token · max(batched tokens, least_tokens) + per_gpu · TP · PP + per_graph_batch · graph batch
///   + per_prefill_graph · prefill graphs (MLA: mla_prefill_graphs at once); at least `floor` on devices above
///   floor_above_gib. fraction = 1 − reserve / capacity, rounded to three digits.
struct ReserveRule {
  double base_mib = 0.0;
  double per_token_mib = 0.0;
  int least_tokens = 0;
  double per_gpu_mib = 0.0;
  double per_graph_batch_mib = 0.0;
  double per_prefill_graph_mib = 0.0;
  double mla_prefill_graphs_mib = 0.0;
  double floor_mib = 0.0;
  double floor_above_gib = 0.0;
};

/// Limits an engine sets itself where the user gives none, for devices of one size. The first row that applies counts.
/// A limit that does not depend on the device is absent.
struct BatchDefaults {
  std::optional<double> below_gib;  // applies to capacities below
  int min_tp = 1;                   // applies from this many tensor-parallel ranks on
  std::string name_has;             // applies to devices whose id holds this; empty: to all
  std::optional<int> max_num_seqs;
  std::optional<int> max_num_batched_tokens;          // of a server
  std::optional<int> max_num_batched_tokens_offline;  // of a program that hands over all its prompts at once
  std::optional<int> graph_batch;                     // largest batch whose graph is captured
};

/// Memory of the trial run that sizes the KV cache, beside the weights: the larger of
///   forward  tokens · 2 B · (d_ff_copies · d_ff / TP + d_model_copies · d_model), of the widest layer
///   sampler  rows · vocab · logit_bytes + min(n_SM, rows) · vocab · buffer_bytes_per_sm + tokens · d_model · 2 B
///            + 2 · rows · d_model · 2 B + GEMM workspace
/// with rows = min(max_num_seqs, tokens). The logits are gathered: every rank holds the whole vocabulary.
struct ActivationRule {
  double d_ff_copies = 0.0;
  double d_model_copies = 0.0;
  double d_model_copies_tp = 0.0;  // instead of d_model_copies, where TP > 1
  double logit_bytes = 0.0;        // of one entry [row, token of the vocabulary] at the sampler's peak
  double buffer_bytes_per_sm = 0.0;
};

/// Memory outside the framework's allocator, by number of ranks: context growth, library handles, communicators.
struct NonTorchMemory {
  int tp = 1;
  Bytes bytes;
};

/// Scratch of the GEMM library per device architecture; empty word: all others.
struct GemmWorkspace {
  std::string architecture_has;
  Bytes bytes;
};

/// Who hands out the memory of weights.
enum class WeightAllocator : std::uint8_t { kTorchCaching };

/// What the kernels of 4-bit experts round the sides of a rank's matrices up to, per device architecture; empty word: all
/// others. 1: not at all.
struct ExpertPadding {
  std::string architecture_has;
  int up_rows = 1;
  int up_columns = 1;
  int down_rows = 1;
  int down_columns = 1;
};

/// Whether prompts run beside the tokens of other sequences, or in passes of their own.
enum class PromptPolicy : std::uint8_t {
  kMixed,  // one pass holds both, within the limit of tokens (vLLM, TensorRT-LLM)
  kAlone,  // prompts that wait go first, alone (SGLang)
};

/// Between which multiples of a prediction nine of ten published figures lie; 0: not known.
struct RatioInterval {
  double low = 0.0;
  double high = 0.0;
};

/// What an engine adds to the time of its kernels, and whose measured kernels stand for its own.
struct SpeedFacts {
  std::vector<std::string> kernels = {"vllm", "tensorrt-llm"};  // backends of the efficiency curves, the nearest first
  std::vector<std::string> collectives = {"vllm", "tensorrt-llm", "nccl"};
  double step_us = 0.0;            // of host time a pass that kernels do not hide
  double sequence_us = 0.0;        // likewise, for each sequence
  double launch_us = 0.0;          // of host time a kernel in passes with prompts, which no captured graph replays
  double prompt_factor = 1.0;      // passes with prompts over the sum of their kernels: what runs between them
  double wait_passes = 0.0;        // a request waits for before it is seen, and its first token before it is sent
  double group_wait_passes = 0.0;  // the same where groups with sequences of their own wait for each other
  double request_us =
      0.0;  // from the arrival of a request to its first pass, and from the first token back to the client
  PromptPolicy prompts = PromptPolicy::kMixed;
  RatioInterval ttft;
  RatioInterval tpot;
  RatioInterval rate;
  std::string source;
};

/// How an engine divides the memory of a device, as data with sources. What nobody could find out is absent.
struct EngineProfile {
  std::string id;       // "vllm"
  std::string name;     // "vLLM"
  std::string read_at;  // version or date at which the facts were read
  Fact<BudgetRule> budget;
  std::optional<Fact<double>> memory_fraction;
  std::optional<Fact<ReserveRule>> reserve;  // gives the fraction where memory_fraction is absent
  std::optional<Fact<int>> block_size_tokens;
  std::optional<Fact<std::vector<BatchDefaults>>> batch_defaults;
  Fact<WindowPolicy> window_policy;
  std::optional<Fact<double>> window_pool_ratio;     // tokens of the window layers' pool / tokens of the full pool
  std::optional<Fact<TokenReport>> tokens_reported;  // absent: every token costs the same, both agree
  std::optional<Fact<ActivationRule>> activations;
  std::optional<Fact<std::vector<GemmWorkspace>>> gemm_workspace;
  std::optional<Fact<std::vector<NonTorchMemory>>> non_torch;  // by rising TP
  std::optional<Fact<BudgetPart>> graph_budget;
  std::optional<Fact<Bytes>> graphs;                       // typical, measured
  std::optional<Fact<int>> hybrid_block_alignment_tokens;  // attention blocks grow to a state's size in such steps
  std::optional<Fact<int>> min_sequences;  // full-length sequences that must fit, or the start is refused
  std::optional<Fact<WeightAllocator>> weight_allocator;
  std::optional<Fact<std::vector<ExpertPadding>>> mxfp4_padding;
  SpeedFacts speed;
  std::vector<std::string> notes;
};

/// The limits that apply to a device; empty where the profile has none for it.
std::optional<BatchDefaults> batch_defaults_for(const EngineProfile& engine, const DeviceSpec& device, int tp);

/// Memory outside the framework's allocator at `tp` ranks: the row of the largest number of ranks not above `tp`.
std::optional<Bytes> non_torch_memory(const EngineProfile& engine, int tp);

/// Scratch of the GEMM library on this device.
std::optional<Bytes> gemm_workspace(const EngineProfile& engine, const DeviceSpec& device);

/// The fraction an engine takes where the user gives none. `prefill_graphs` is used by reserve rules that count them.
struct FractionRequest {
  double capacity_gib = 0.0;
  int tp = 1;
  int pp = 1;
  int batched_tokens = 0;
  int graph_batch = 0;
  int prefill_graphs = 0;
  AttentionCache attention = AttentionCache::kHeads;
};
std::optional<double> default_memory_fraction(const EngineProfile& engine, const FractionRequest& request);

/// The profile of an engine: "vllm", or of an earlier version of it, "vllm@0.10". The facts that changed since are
/// those of that version.
/// Errors   throws `Error`: kUsage for an unknown engine, with the nearest; kInput where a profile cannot be read.
EngineProfile find_engine(std::string_view name);

/// Ids of all profiles, sorted.
std::vector<std::string> list_engines();

/// Reads one profile file; `version` picks the facts of an earlier version, empty: the newest.
/// Errors   throws `Error` (kInput) naming file and key.
EngineProfile read_engine_file(const std::filesystem::path& file, std::string_view version = {});

}  // namespace dachlast
