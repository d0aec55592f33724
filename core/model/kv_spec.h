#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/kv_format.h"
#include "core/base/op.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// Where K and V of the layers lie that are not in work.
///   kHost  a second pool of memory; on this backend RAM too, in the place of the host's beside a GPU's
///   kFile  a file
enum class KvTier : std::uint8_t { kNone, kHost, kFile };

constexpr std::string_view name_of(KvTier tier) {
  constexpr std::string_view names[] = {"none", "host", "file"};
  return names[static_cast<int>(tier)];
}

/// A kind of KV cache as people name it: where tokens go, which of them stay, how they are stored.
struct KvSpec {
  KvPolicy layout = KvPolicy::kContiguous;
  int block_size = 0;                   // kPaged: tokens of a block
  int window = 0;                       // kWindow, kSink: newest tokens that stay
  int n_sinks = 0;                      // kSink: first tokens that stay beside them
  std::optional<KvFormat> format = {};  // empty: as the arithmetic of the weights
  KeyScales key_scales = KeyScales::kPerToken;
  KvTier tier = KvTier::kNone;  // kPaged: where blocks go between their layer's turns; a block is a chunk
  int recompute_keep = 0;  // kPaged: newest tokens that stay, the others are recomputed for every step; 0: all stay

  /// Only the layers in work have their K and V at hand.
  bool staged() const { return tier != KvTier::kNone || recompute_keep > 0; }
  bool is_ring() const { return layout == KvPolicy::kWindow || layout == KvPolicy::kSink; }
  friend bool operator==(const KvSpec&, const KvSpec&) = default;
};

/// Tokens of a block where none are given: what vLLM serves with.
/// Source   vllm-project/vllm:vllm/config/cache.py (DEFAULT_BLOCK_SIZE).
inline constexpr int kDefaultBlockSize = 16;
/// The same where keys have scales along channels: the group KIVI quantizes at once (arXiv:2402.02750, section 4.1).
inline constexpr int kChannelBlockSize = 32;

/// Tokens of a chunk of an offloaded cache where none are given: what LMCache moves at once.
/// Source   LMCache/LMCache:lmcache/v1/config.py (chunk_size).
inline constexpr int kDefaultChunkTokens = 256;

/// Reads "contiguous", "paged", "paged:BLOCK", "window:N", "sink:S+N", "offload:host", "offload:file:CHUNK", "recompute:N", "none", a format ("int8"), one with scales along
/// the channels of K ("int4:channel"), or a layout and a format: "paged:16,int8". A format alone is contiguous, with
/// scales along channels paged.
/// Errors   throws `Error` (kUsage) naming `option` and the text.
KvSpec parse_kv_spec(std::string_view option, std::string_view text);

/// The text that `parse_kv_spec` reads back.
std::string text_of(const KvSpec& spec);

/// How a cache of this kind stores rows of `format`.
KvStorage storage_of(const KvSpec& spec, KvFormat format);

/// Bytes that a tier moves at once at least: O_DIRECT wants whole blocks of the device, 4,096 bytes on any there is; memory
/// cache lines.
/// Source   open(2), section NOTES, O_DIRECT.
constexpr double kv_tier_alignment(KvTier tier) {
  return tier == KvTier::kFile ? 4096.0 : 64.0;
}

/// What a cache is asked to hold.
struct KvRoom {
  int max_sequences = 1;
  int capacity_tokens = 0;  // per sequence
  int max_step_tokens = 0;  // of one sequence in one step
  int n_blocks = 0;         // kPaged: 0 for as many as max_sequences of full length fill
};

/// Blocks of a cache: how many, and of how many tokens.
///   contiguous  max_sequences of capacity_tokens
///   paged       n_blocks, or max_sequences · ⌈capacity_tokens / block_size⌉, of block_size
///   ring        max_sequences of n_sinks + window − 1 + max_step_tokens, at most capacity_tokens: the first query of a
///               step still sees window − 1 tokens before it when the last tokens of its step are written
struct KvPoolShape {
  int n_blocks = 0;
  int block_size = 0;
};
/// Errors   throws `Error`: kUsage where a number is not positive or the spec is no cache, kDoesNotFit for more blocks than
///          a table can name.
KvPoolShape kv_pool_shape(const KvSpec& spec, const KvRoom& room);

/// Blocks that `keep_tokens` neighbouring tokens may touch: the first and the last may hold few of them.
constexpr int kept_blocks(int keep_tokens, int block_size) {
  return (keep_tokens + block_size - 1) / block_size + 1;
}

/// Records that the tier of a staged cache has for each layer: one a block, or the kept blocks of each sequence.
/// Errors   as `kv_pool_shape`.
double kv_tier_records(const KvSpec& spec, const KvRoom& room);

/// The longest step of a sequence where `wanted` tokens are asked for. A ring holds its window and a step: a step as long
/// as the window keeps it within twice the window, and 128 tokens still share each read of the weights where the window
/// is short. Recomputed tokens take part in a step, which must have room for the whole text.
int longest_step(const KvSpec& spec, int wanted);

/// What `parse_kv_spec` reads, for help texts.
inline constexpr std::string_view kKvSpecHelp =
    "contiguous, paged[:BLOCK], window:N, sink:S+N, offload:host[:CHUNK], offload:file[:CHUNK], recompute:N (keep the "
    "newest N tokens, recompute the others), or none (recompute the sequence for every token); a format: f32, bf16, "
    "f16, int8, int4, fp8, the last three also as int4:channel; or both: paged:16,int8";

/// The model as a cache that lets go of tokens makes it: every layer sees at most the last `window` tokens, and the first
/// `n_sinks` too where it saw all tokens before. Positions stay those of the text: where StreamingLLM counts positions within the
/// cache, so that text may grow beyond the trained context, distances to the sinks grow here with the text, which
/// therefore ends at the context the model was trained for.
/// Source   StreamingLLM, Xiao et al. 2023, arXiv:2309.17453, section 3.2.
ModelSpec with_reach(ModelSpec model, const KvSpec& spec);

}  // namespace dachlast
