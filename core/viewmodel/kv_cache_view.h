#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// What a block of the cache holds at one moment.
enum class BlockState : std::uint8_t { kFree, kLive, kShared, kCached };

struct BlockCell {
  BlockState state = BlockState::kFree;
  int n_users = 0;
  int n_tokens = 0;   // slots that hold tokens; of a cached block all
  int request = -1;   // of the first user
  int position = -1;  // of its first token in that request
};

/// Every block in the order of the pool.
std::vector<BlockCell> block_cells(const KvUsage& kv, const KvMoment& moment);

/// The KV cache of served requests as people read it.
struct KvCacheView {
  std::string answer;    // "At its fullest the cache held tokens in 36 % of its slots, in 67 % of its blocks. …"
  std::string capacity;  // tokens first, blocks second, requests of the mean length last
  std::string no_map;    // why there is no map of blocks; empty where there is one
  Table figures;         // each use on its own, never merged
  Table block_sizes;     // what other block sizes would waste at the fullest moment; no rows where it is not known
};

/// Empty where the run served no requests.
std::optional<KvCacheView> kv_cache_view(const Run& run);

/// Place of the recorded moment with most blocks allocated; 0 where none was recorded.
int fullest_moment(const KvUsage& kv);

/// More blocks than this share cells.
inline constexpr int kMostBlockCells = 20'000;

/// Map of all blocks at one of the recorded moments, in the order of the pool.
figure::Figure occupancy_figure(const KvUsage& kv, int moment, figure::Size size, std::string id);

/// All token slots at the fullest step: held, the wastes by their names, free.
figure::Figure waste_figure(const KvUsage& kv, figure::Size size, std::string id);

/// Use of blocks and of token slots over the recorded moments; one of them is marked.
figure::Figure kv_history_figure(const KvUsage& kv, int moment, figure::Size size, std::string id);

/// "Step 41, 1.24 s: 12 requests hold 96 blocks, 8 more are cached."
std::string moment_sentence(const KvUsage& kv, int moment);

}  // namespace dachlast::viewmodel
