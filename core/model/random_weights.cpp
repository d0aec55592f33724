#include "core/model/random_weights.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "core/model/weight_slots.h"
#include "core/model/weight_store.h"

namespace dachlast {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio, the step of SplitMix64

/// Elements one task fills: large against starting it, small against the largest matrix, so that threads end together.
constexpr std::int64_t kChunkElements = std::int64_t{1} << 20;

/// Output function of SplitMix64.
constexpr std::uint64_t scrambled(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// Sum of four uniform 16-bit numbers less its mean. Standard deviation sqrt(4 · (2^32 − 1) / 12) = 37837.
constexpr double kSumDeviation = 37837.227;
constexpr std::int32_t centred_sum(std::uint64_t stream, std::uint64_t index) {
  const std::uint64_t x = scrambled(stream + (index + 1) * kGolden);
  const std::uint64_t sum = (x & 0xffff) + ((x >> 16) & 0xffff) + ((x >> 32) & 0xffff) + (x >> 48);
  return static_cast<std::int32_t>(sum) - 2 * 0xffff;
}

/// Element i of a slot is mean + step · centred_sum(stream, i).
struct Distribution {
  std::uint64_t stream;
  float mean;
  float step;
};

std::uint64_t stream_of(const WeightSlot& slot, std::uint64_t seed) {
  const auto role = static_cast<std::uint64_t>(slot.role);
  const auto part = static_cast<std::uint64_t>(slot.part);
  const auto place = (static_cast<std::uint64_t>(slot.layer + 1) << 16) | (role << 8) | part;
  return scrambled(scrambled(seed + kGolden) + place * kGolden);
}

/// Steps of vectors are powers of two: their products with the sum are exact, so a compiler that fuses multiply and add
/// gets the same bits as one that does not. Matrices have mean 0 and need no addition.
Distribution distribution_of(const WeightSlot& slot, const ModelSpec& model, std::uint64_t seed) {
  const std::uint64_t stream = stream_of(slot, seed);
  switch (slot.part) {
    case WeightPart::kNorm: return {stream, static_cast<float>(1.0 - model.norm.weight_offset), 0x1p-19f};
    case WeightPart::kBias:
    case WeightPart::kState: return {stream, 0.0f, 0x1p-21f};
    case WeightPart::kMatrix:
    case WeightPart::kPositions: break;
  }
  const double deviation = 1.0 / std::sqrt(static_cast<double>(slot.columns));
  return {stream, 0.0f, static_cast<float>(deviation / kSumDeviation)};
}

template <class Element>
void fill(const Distribution& distribution, std::int64_t first, std::span<Element> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int32_t sum = centred_sum(distribution.stream, static_cast<std::uint64_t>(first) + i);
    const float value = distribution.mean + static_cast<float>(sum) * distribution.step;
    if constexpr (std::is_same_v<Element, BF16>)
      out[i] = to_bf16(value);
    else
      out[i] = value;
  }
}

/// A run of elements of one slot, filled by one thread.
struct Chunk {
  Distribution distribution;
  std::int64_t first;  // element of the slot
  std::int64_t n_elements;
  std::int64_t columns;
  std::span<std::byte> bytes;
  WeightStorage storage;
};

/// Panel after panel through a buffer of floats.
void fill_panels(const Chunk& chunk) {
  const PanelLayout layout(chunk.storage.type, static_cast<int>(chunk.columns));
  std::vector<float> rows;
  std::span<std::byte> panels = chunk.bytes;
  for (std::int64_t done = 0; done < chunk.n_elements; done += kPanelRows * chunk.columns) {
    rows.resize(static_cast<std::size_t>(std::min(chunk.n_elements - done, kPanelRows * chunk.columns)));
    fill(chunk.distribution, chunk.first + done, std::span(rows));
    pack_panel(chunk.storage.type, static_cast<int>(chunk.columns), rows, panels.first(layout.panel_bytes()));
    panels = panels.subspan(layout.panel_bytes());
  }
}

void fill(const Chunk& chunk) {
  if (chunk.storage.layout == WeightLayout::kPanels)
    fill_panels(chunk);
  else if (chunk.storage.type == DType::kBF16)
    fill(chunk.distribution, chunk.first,
         std::span(reinterpret_cast<BF16*>(chunk.bytes.data()), chunk.bytes.size() / sizeof(BF16)));
  else
    fill(chunk.distribution, chunk.first,
         std::span(reinterpret_cast<float*>(chunk.bytes.data()), chunk.bytes.size() / sizeof(float)));
}

/// Chunks are whole panels where the slot lies in panels.
void append_chunks(const WeightSlot& slot, const Distribution& distribution, std::span<std::byte> bytes,
                   const WeightStorage& storage, std::vector<Chunk>& chunks) {
  const bool panels = storage.layout == WeightLayout::kPanels;
  const std::int64_t unit = panels ? kPanelRows * slot.columns : 1;
  const std::size_t unit_bytes = panels ? PanelLayout(storage.type, static_cast<int>(slot.columns)).panel_bytes()
                                        : static_cast<std::size_t>(storage.type.bits()) / 8;
  const std::int64_t n_units = (slot.size() + unit - 1) / unit;
  const std::int64_t step = std::max<std::int64_t>(1, kChunkElements / unit);
  for (std::int64_t first = 0; first < n_units; first += step) {
    const std::int64_t n = std::min(step, n_units - first);
    const std::int64_t n_elements = std::min(n * unit, slot.size() - first * unit);
    chunks.push_back(
        {distribution, first * unit, n_elements, slot.columns,
         bytes.subspan(static_cast<std::size_t>(first) * unit_bytes, static_cast<std::size_t>(n) * unit_bytes),
         storage});
  }
}

}  // namespace

std::unique_ptr<Weights> random_weights(const ModelSpec& model, std::uint64_t seed, const WeightStorage& storage,
                                        int n_threads) {
  require_weight_storage(model, storage);
  const std::vector<WeightSlot> slots = fused_weight_slots(model);
  double total_bytes = 0.0;
  for (const WeightSlot& slot : slots) total_bytes += WeightArena::padded_bytes(bytes_of(slot, storage));
  auto weights = std::make_unique<StoredWeights>(model, WeightOrigin::kRandom, fmt::format("random, seed {}", seed),
                                                 WeightArena(total_bytes));
  std::vector<Chunk> chunks;
  for (const WeightSlot& slot : slots) {
    const WeightStorage kept = storage_of(slot, storage);
    append_chunks(slot, distribution_of(slot, model, seed), weights->allocate(slot, kept), kept, chunks);
  }
  run_tasks(chunks.size(), n_threads, [&](std::size_t i) { fill(chunks[i]); });
  return weights;
}

std::unique_ptr<Weights> random_weights(const ModelSpec& model, std::uint64_t seed, const WeightStorage& storage) {
  return random_weights(model, seed, storage, usable_threads());
}

}  // namespace dachlast
