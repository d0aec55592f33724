#include "core/viewmodel/kv_cache_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

constexpr int kMostBlocks = 10'000'000;  // of a map: beyond that a file is damaged
constexpr int kBlockSizes[] = {1, 8, 16, 32, 64, 128, 256};

double slots_of(const KvUsage& kv) {
  return 1.0 * kv.n_blocks * kv.block_size;
}

std::string share_of(double part, double whole) {
  return whole > 0.0 ? format_percent(part / whole) : std::string(kMissing);
}

std::string kv_answer(const KvUsage& kv) {
  const double slots = slots_of(kv);
  const auto waste = static_cast<double>(kv.reserved_tokens + kv.internal_fragmentation_tokens);
  std::string text = fmt::format(
      "At its fullest the cache held tokens in {} of its slots, in {} of its blocks; {} of the slots were waste.",
      share_of(static_cast<double>(kv.held_tokens), slots), share_of(kv.peak_blocks, kv.n_blocks),
      share_of(waste, slots));
  if (kv.saved_tokens > 0 && kv.block_size > 0)
    text += fmt::format(" Sharing saved {}.", format(Measure::kCapacity, kv.block_bytes / kv.block_size *
                                                                             static_cast<double>(kv.saved_tokens)));
  text += kv.n_evicted > 0
              ? fmt::format(" {} evicted.", counted(kv.n_evicted, "cached block was", "cached blocks were"))
              : " Nothing was evicted.";
  return text;
}

std::string capacity_of(const Serving& serving) {
  const KvUsage& kv = serving.kv;
  const auto tokens = static_cast<std::int64_t>(slots_of(kv));
  std::string text = fmt::format("Capacity: {}, in {} of {}.", counted(tokens, "token", "tokens"),
                                 counted(kv.n_blocks, "block", "blocks"), format(Measure::kCapacity, kv.block_bytes));
  std::int64_t sum = 0;
  for (const ServedRequest& request : serving.requests)
    sum += request.prompt_tokens + 1 + static_cast<std::int64_t>(request.itl_s.size());
  if (sum == 0 || kv.block_size <= 0) return text;
  const auto n_requests = static_cast<std::int64_t>(serving.requests.size());
  const std::int64_t mean = (sum + n_requests - 1) / n_requests;
  const std::int64_t blocks_each = (mean + kv.block_size - 1) / kv.block_size;
  return text + fmt::format(" {} at once of {}, the mean of those served.",
                            counted(kv.n_blocks / blocks_each, "request", "requests"),
                            counted(mean, "token", "tokens"));
}

const KvMoment* fullest(const KvUsage& kv) {
  return kv.moments.empty() ? nullptr : &kv.moments[static_cast<std::size_t>(fullest_moment(kv))];
}

/// Slots that the last blocks of the sequences would leave empty, sharing left out: it depends on where prompts part.
Table block_sizes_of(const KvUsage& kv) {
  TableBuilder table("block-sizes", "What other block sizes would waste");
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> blocks;
  std::vector<std::int64_t> wasted;
  std::vector<std::optional<double>> shares;
  const KvMoment* moment = fullest(kv);
  if (moment != nullptr && !moment->sequences.empty())
    for (const int size : kBlockSizes) {
      std::int64_t n_blocks = 0;
      std::int64_t held = 0;
      for (const KvSequence& sequence : moment->sequences) {
        n_blocks += (sequence.n_tokens + size - 1) / size;
        held += sequence.n_tokens;
      }
      sizes.push_back(size);
      blocks.push_back(n_blocks);
      wasted.push_back(n_blocks * size - held);
      shares.push_back(n_blocks > 0 ? std::optional<double>(static_cast<double>(wasted.back()) /
                                                            static_cast<double>(n_blocks * size))
                                    : std::nullopt);
    }
  table.count({"block_size_tokens", "Block size", "tokens", ""}, sizes, Origin::kExact);
  table.count({"n_blocks", "Blocks", "", "Of all sequences at the fullest recorded moment, nothing shared."}, blocks,
              Origin::kExact);
  table.count({"wasted_tokens", "Waste", "tokens", "Slots that the last blocks leave empty."}, wasted, Origin::kExact);
  table.percent({"wasted_share", "Of slots", "%", ""}, shares, Origin::kExact);
  return table.build();
}

std::string why_no_map(const Run& run) {
  if (!run.kv.starts_with("paged"))
    return fmt::format("The cache of this run is {}: it has no blocks to show.", run.kv);
  if (run.serving->kv.n_blocks > kMostBlocks)
    return fmt::format("{} are too many to draw.", counted(run.serving->kv.n_blocks, "block", "blocks"));
  if (run.serving->kv.moments.empty())
    return "This run was measured before the program recorded where blocks lie; measure it again to see the map.";
  return {};
}

}  // namespace

std::vector<BlockCell> block_cells(const KvUsage& kv, const KvMoment& moment) {
  std::vector<BlockCell> cells(static_cast<std::size_t>(std::clamp(kv.n_blocks, 0, kMostBlocks)));
  const auto at = [&](int block) -> BlockCell* {
    return block >= 0 && block < static_cast<int>(cells.size()) ? &cells[static_cast<std::size_t>(block)] : nullptr;
  };
  for (const int block : moment.cached)
    if (BlockCell* cell = at(block)) *cell = {BlockState::kCached, 0, kv.block_size, -1, -1};
  for (const KvSequence& sequence : moment.sequences) {
    int position = 0;
    for (const int block : sequence.blocks) {
      BlockCell* cell = at(block);
      if (cell == nullptr) continue;
      const int held = std::clamp(sequence.n_tokens - position, 0, kv.block_size);
      ++cell->n_users;
      cell->state = cell->n_users > 1 ? BlockState::kShared : BlockState::kLive;
      cell->n_tokens = std::max(cell->n_users > 1 ? cell->n_tokens : 0, held);
      if (cell->n_users == 1) {
        cell->request = sequence.request;
        cell->position = position;
      }
      position += kv.block_size;
    }
  }
  return cells;
}

std::optional<KvCacheView> kv_cache_view(const Run& run) {
  if (!run.serving) return std::nullopt;
  return KvCacheView{.answer = kv_answer(run.serving->kv),
                     .capacity = capacity_of(*run.serving),
                     .no_map = why_no_map(run),
                     .figures = kv_use_table(*run.serving),
                     .block_sizes = block_sizes_of(run.serving->kv)};
}

int fullest_moment(const KvUsage& kv) {
  const auto most = std::ranges::max_element(kv.moments, {}, &KvMoment::n_allocated);
  return most == kv.moments.end() ? 0 : static_cast<int>(most - kv.moments.begin());
}

std::string moment_sentence(const KvUsage& kv, int moment) {
  if (moment < 0 || moment >= static_cast<int>(kv.moments.size())) return {};
  const KvMoment& at = kv.moments[static_cast<std::size_t>(moment)];
  return fmt::format("Step {}, {}: {} hold {}, {} more cached; {} evicted so far.", format_count(at.step),
                     format_time(Seconds{at.time_s}),
                     counted(static_cast<std::int64_t>(at.sequences.size()), "request", "requests"),
                     counted(at.n_allocated, "block", "blocks"), format_count(at.n_cached), format_count(at.n_evicted));
}

}  // namespace dachlast::viewmodel
