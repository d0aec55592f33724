#pragma once

#include <optional>

#include "core/base/units.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"

// Earlier tokens whose K and V have left the fast memory can be fetched from a slower tier or computed anew from their ids.
// Which is faster depends on three things: what a transfer costs, what computing costs, and how much a transfer moves.
namespace dachlast {

/// What a tier takes, measured or computed from a bandwidth: `tier_rates`.
struct TierRates {
  Seconds per_layer;  // of a layer's turn, whatever it moves: handing over, waking, latency
  Seconds per_chunk;  // of one layer
};

/// Rates of a link: its latency once a layer, chunks at its bandwidth.
TierRates tier_rates(Seconds latency, BytesPerSecond bandwidth, Bytes chunk);

/// The two ways to have the K and V of earlier tokens of one sequence again.
struct KvReturn {
  int n_layers = 0;
  int chunk_tokens = 1;
  Bytes chunk;  // of one layer
  TierRates tier;
  Flops per_token;         // products of a token with the weights of all layers
  Flops per_pair;          // attention of a token to one other in all layers
  FlopsPerSecond compute;  // as attained, not as listed
};

/// `chunk_tokens` tokens as blocks of `precision.kv`, scales included. Windows of layers are not taken into account: an upper
/// bound of both ways' cost for models that have them.
/// Errors   throws `Error` (kUsage) where chunk_tokens is not positive.
KvReturn kv_return(const ModelSpec& model, const Precision& precision, int chunk_tokens);

/// n_layers · (per_layer + ⌈n / chunk_tokens⌉ · per_chunk).
Seconds fetch_time(const KvReturn& question, int n_tokens);

/// (per_token · n + per_pair · n (n + 1) / 2) / compute: the layers of a prefill of n tokens, without a head.
Seconds recompute_time(const KvReturn& question, int n_tokens);
Flops recompute_work(const KvReturn& question, int n_tokens);

/// The least number of tokens at which fetching is faster: its time grows with n, that of computing with n² in the end. Just
/// beyond it a chunk of few tokens may turn the order once more. Empty where computing is faster up to `max_tokens`.
std::optional<int> fetch_is_faster_at(const KvReturn& question, int max_tokens);

/// The bandwidth of a tier at which both take equally long for n tokens, per_layer as it is; empty where handing over alone
/// takes longer than computing.
std::optional<BytesPerSecond> break_even_bandwidth(const KvReturn& question, int n_tokens);

/// A decode step that fetches while it computes: the slower of the two binds, and the first layer waits for its chunks.
///   max(kept, fetch) + fetch / n_layers
Seconds fetching_step(const KvReturn& question, Seconds kept, int n_tokens);

/// A decode step whose earlier tokens are computed beside its own: kept + recompute.
Seconds recomputing_step(const KvReturn& question, Seconds kept, int n_tokens);

}  // namespace dachlast
