#pragma once

#include <filesystem>
#include <optional>

#include "core/kv_cache/block_manager.h"
#include "core/kv_cache/kv_tier.h"
#include "core/kv_cache/layer_stage.h"
#include "core/model/kv_spec.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// What a second tier is made with.
struct KvTierOptions {
  std::filesystem::path scratch = {};          // folder of a file tier; empty: `default_scratch_folder`
  Seconds patience = StageOptions{}.patience;  // longest time without progress
  std::optional<FileCalls> calls = {};         // empty: the system's
};

struct KvCacheOptions {
  KvSpec spec;  // layout and scales; its format, where it names one, is `format`
  KvFormat format = KvFormat::kF32;
  int max_sequences = 1;
  int capacity_tokens = 0;  // per sequence
  int max_step_tokens = 0;  // of one sequence in one step: the room a ring needs beside its window; 0: capacity
  int n_blocks = 0;         // kPaged: 0 for as many as max_sequences of full length fill
  PrefixSharing sharing = PrefixSharing::kOff;
  KvTierOptions tier = {};
};

/// Bytes of RAM a cache allocates, before it does:
///   Σ over layers of n_blocks · (key rows + value rows + scales), each kind rounded up to a cache line,
///   and of the bf16 keys that wait for their block to fill, max_sequences times, where keys have scales along channels.
/// Of a staged cache (`KvSpec::staged`) two slots of the largest layer, one chunk, and the tier where it lies in RAM.
/// Errors   as the constructor of `KvCache`.
double kv_cache_bytes(const ModelSpec& model, const KvCacheOptions& options);

/// The same of a device: the tier of a staged cache lies in the host's memory, and blocks go there without a detour.
double kv_device_bytes(const ModelSpec& model, const KvCacheOptions& options);

/// Bytes of the tier behind a staged cache, in RAM or in a file; 0 where all layers stay at hand.
double kv_tier_bytes(const ModelSpec& model, const KvCacheOptions& options);

}  // namespace dachlast
