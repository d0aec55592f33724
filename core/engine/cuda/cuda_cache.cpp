#include "core/engine/cuda/cuda_cache.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "core/engine/cuda/cuda_tier.h"

namespace dachlast {
namespace {

using kernels::cuda::DeviceBlock;
using kernels::cuda::DeviceEvent;
using kernels::cuda::DeviceSegment;
using kernels::cuda::EventUse;

constexpr std::size_t kSlotAlignment = 256;  // whole transactions of every format

std::size_t padded(double bytes) {
  return static_cast<std::size_t>(std::ceil(bytes / kSlotAlignment)) * kSlotAlignment;
}

class CudaKvMemory final : public KvMemory {
 public:
  CudaKvMemory(CudaContext& context, double bytes)
      : context_(context),
        block_(context.pool.allocate(static_cast<std::size_t>(bytes), DeviceSegment::kKvCache, stream())) {
    kernels::cuda::zero(block_.bytes(), stream());
  }

  std::span<std::byte> bytes() const override { return block_.bytes(); }
  void copy(std::size_t to, std::size_t from, std::size_t n_bytes) override {
    kernels::cuda::copy(bytes().data() + to, bytes().data() + from, n_bytes, stream());
  }

 private:
  kernels::cuda::Stream stream() const { return context_.steps.stream(); }

  CudaContext& context_;
  DeviceBlock block_;
};

/// Begin and end of something in a queue.
struct TimedPair {
  DeviceEvent begin{EventUse::kTiming};
  DeviceEvent end{EventUse::kTiming};
};

/// What is marked of a layer in a step.
struct LayerMarks {
  TimedPair load, store, wait;
  DeviceEvent left{EventUse::kOrder};
  int n_entered = 0;  // in the step
};

class CudaKvStage final : public KvStage {
 public:
  CudaKvStage(CudaContext& context, StageOptions options, std::unique_ptr<CudaTier> tier)
      : context_(context),
        options_(std::move(options)),
        slots_(context.pool.allocate(kSlots * padded(options_.slot_bytes), DeviceSegment::kKvCache,
                                     context.steps.stream())),
        tier_(std::move(tier)),
        marks_(options_.layers.size()) {
    kernels::cuda::zero(slots_.bytes(), context.steps.stream());
    context.steps.finish();
  }
  ~CudaKvStage() override {
    try {
      context_.copies.finish();        // they reach into the tier
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): a destructor tells nobody
      // What went wrong has been reported by the step that it went wrong in, or nobody asks any more.
    }
  }
  CudaKvStage(const CudaKvStage&) = delete;
  CudaKvStage& operator=(const CudaKvStage&) = delete;

  void begin_step(StageLists lists) override {
    count_last_step();
    lists_ = std::move(lists);
    n_left_ = 0;
    for (int layer = 0; layer < std::min(kSlots, n_layers()); ++layer) load(layer);
  }

  void enter(int layer) override {
    LayerMarks& marks = marks_of(layer);
    ++marks.n_entered;
    marks.wait.begin.record(context_.steps.stream());
    context_.steps.wait_for(marks.load.end);
    marks.wait.end.record(context_.steps.stream());
  }

  void leave(int layer) override {
    const LayerMarks& marks = marks_of(layer);
    marks.left.record(context_.steps.stream());
    context_.copies.wait_for(marks.left);
    marks.store.begin.record(context_.copies.stream());
    for (const StagedBlock& one : lists_.store) move(layer, one, Direction::kToTier);
    marks.store.end.record(context_.copies.stream());
    ++n_left_;
    if (layer + kSlots < n_layers()) load(layer + kSlots);
  }

  void finish_step() override {
    context_.copies.finish();
    tier_->require_intact();
  }

  std::span<std::byte> slot(int layer) override {
    const std::size_t bytes = padded(options_.slot_bytes);
    return slots_.bytes().subspan(static_cast<std::size_t>(layer % kSlots) * bytes, bytes);
  }

  void copy(std::int64_t from_record, std::int64_t to_record) override {
    context_.copies.finish();
    for (const StageLayer& layer : options_.layers) tier_->copy(record(layer, from_record), record(layer, to_record));
    const double bytes = bytes_of_all_layers();
    traffic_.read_bytes += bytes;
    traffic_.written_bytes += bytes;
    traffic_.n_reads += n_layers();
    traffic_.n_writes += n_layers();
  }

  KvTraffic traffic() override {
    count_last_step();
    return traffic_;
  }
  std::string tier_description() const override { return tier_->description(); }
  double bytes() const override { return static_cast<double>(slots_.bytes().size()); }

 private:
  enum class Direction { kToSlot, kToTier };

  int n_layers() const { return static_cast<int>(options_.layers.size()); }
  LayerMarks& marks_of(int layer) { return marks_[static_cast<std::size_t>(layer)]; }
  static TierRecord record(const StageLayer& layer, std::int64_t number) {
    return {layer.tier_offset + number * static_cast<std::int64_t>(layer.record_bytes), layer.record_bytes};
  }
  double bytes_of_all_layers() const {
    double bytes = 0.0;
    for (const StageLayer& layer : options_.layers) bytes += static_cast<double>(layer.record_bytes);
    return bytes;
  }

  /// The slot is free: what its last layer wrote went before, in the same queue.
  void load(int layer) {
    const LayerMarks& marks = marks_of(layer);
    marks.load.begin.record(context_.copies.stream());
    for (const StagedBlock& one : lists_.load) move(layer, one, Direction::kToSlot);
    marks.load.end.record(context_.copies.stream());
  }

  void move(int layer, const StagedBlock& one, Direction direction) {
    const StageLayer& of = options_.layers[static_cast<std::size_t>(layer)];
    std::array<std::span<std::byte>, std::tuple_size_v<decltype(of.parts)>> parts;
    for (std::size_t i = 0; i < parts.size(); ++i)
      parts[i] = slot(layer).subspan(of.parts[i].offset + static_cast<std::size_t>(one.block) * of.parts[i].block_bytes,
                                     of.parts[i].block_bytes);
    if (direction == Direction::kToTier)
      tier_->store(record(of, one.record), parts, context_.copies.stream());
    else
      tier_->load(record(of, one.record), parts, context_.copies.stream());
  }

  /// Adds up what the marks of the last step say, once, when all of it is done.
  void count_last_step() {
    context_.copies.finish();
    context_.steps.finish();
    tier_->require_intact();
    if (n_left_ == 0) return;
    const double bytes = bytes_of_all_layers();
    traffic_.n_reads += static_cast<std::int64_t>(lists_.load.size()) * n_layers();
    traffic_.n_writes += static_cast<std::int64_t>(lists_.store.size()) * n_layers();
    traffic_.read_bytes += bytes * static_cast<double>(lists_.load.size());
    traffic_.written_bytes += bytes * static_cast<double>(lists_.store.size());
    for (LayerMarks& marks : marks_) {
      if (std::exchange(marks.n_entered, 0) == 0) continue;
      traffic_.read_s += marks.load.end.since(marks.load.begin).value;
      traffic_.write_s += marks.store.end.since(marks.store.begin).value;
      traffic_.waited_s += marks.wait.end.since(marks.wait.begin).value;
    }
    n_left_ = 0;
  }

  CudaContext& context_;
  const StageOptions options_;
  DeviceBlock slots_;
  std::unique_ptr<CudaTier> tier_;
  std::vector<LayerMarks> marks_;
  StageLists lists_;
  int n_left_ = 0;  // layers that have had their turn in the step
  KvTraffic traffic_;
};

}  // namespace

std::unique_ptr<KvMemory> make_cuda_kv_memory(CudaContext& context, double bytes) {
  return std::make_unique<CudaKvMemory>(context, bytes);
}

std::unique_ptr<KvStage> make_cuda_kv_stage(CudaContext& context, StageOptions options,
                                            std::unique_ptr<TierMemory> tier, double tier_bytes) {
  std::size_t largest = 0;
  for (const StageLayer& layer : options.layers) largest = std::max(largest, layer.record_bytes);
  auto behind =
      tier ? make_bounced_tier(std::move(tier), largest, options.bounce_alignment) : make_pinned_tier(tier_bytes);
  return std::make_unique<CudaKvStage>(context, std::move(options), std::move(behind));
}

}  // namespace dachlast
