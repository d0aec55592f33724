#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/engine/engine.h"
#include "core/engine/op_dispatch.h"
#include "core/engine/rope_tables.h"
#include "core/engine/step_memory.h"
#include "core/engine/step_runner.h"
#include "core/kv_cache/kv_cache.h"
#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/linear.h"
#include "kernels/packed_linear.h"

namespace dachlast {

/// What a projection reads and writes.
struct LinearOperands {
  std::span<const float> x;
  WeightMatrix w;
  std::span<const float> bias;
  std::span<float> y;
};

/// Calls the kernels: one method per kind of operation, each the line of the paper it stands for. Owns the memory of a
/// step; writes the cache where its step in progress says.
class OpRunner final : public StepRunner {
 public:
  OpRunner(const ModelSpec& model, const Weights& weights, const EngineOptions& options, KvCache& cache);

  void begin(const Step& step, std::span<const SequenceLengths> lengths, PromptPass pass) override;
  void run(const Op& op) override;
  void finish() override {}

  DType arithmetic(const Op& op) const override;

  std::span<std::int32_t> token_ids() override { return memory_.ids(Buffer::kTokenIds); }
  std::span<const float> logits() const override { return memory_.floats(Buffer::kLogits); }
  std::span<const std::int32_t> next_ids() const override { return memory_.ids(Buffer::kNextIds); }
  RunnerMemory memory() const override {
    return {memory_.activation_bytes(), memory_.workspace_bytes() + rope_tables_.bytes()};
  }

 private:
  friend struct OpDispatch;

  void latent_up(const Op& op);
  void embed(const Op& op, const EmbedShape& shape);
  void norm(const Op& op, const NormShape& shape);
  void linear(const Op& op, const LinearShape& shape);
  void qk_norm(const Op& op, const NormShape& shape);
  void rope(const Op& op, const RopeShape& shape);
  void kv_write(const Op& op, const KvWriteShape& shape);
  void attention(const Op& op, const AttentionShape& shape);
  void activate(const Op& op, const ActivationShape& shape);
  void residual(const Op& op, const ResidualShape& shape);
  void linear_in_panels(const LinearShape& shape, const LinearOperands& operands, const PackedMatrix& w);
  void linear_in_tiles(const kernels::LinearVariant& variant, const LinearShape& shape, const LinearOperands& operands);
  void lm_head(const Op& op, const LinearShape& shape);
  void sample(const Op& op, const SampleShape& shape);

  /// One sequence's part of the step.
  struct Entry {
    int index;
    int first_row;
    int q_len;
    int first_position;

    int last_row() const { return first_row + q_len - 1; }
  };

  const AttentionSpec& attention_of(const Op& op) const {
    return dachlast::attention_of(model_.layers[static_cast<std::size_t>(op.layer)]);
  }
  QkvColumns columns_of(const Op& op) const;
  WeightMatrix projection_of(const Op& op, const LinearShape& shape) const;
  std::span<const float> bias_of(const Op& op, const LinearShape& shape) const;
  int first_row_of(const Op& op) const;
  kernels::NormRule norm_rule() const;
  void store_heads(const Op& op, const Entry& entry, kernels::Slice tokens, kernels::Slice heads);
  kernels::AttentionCall attention_call(const Op& op, const AttentionShape& shape);
  void attend(const Op& op, const kernels::AttentionCall& call, const kernels::AttentionSizes& sizes);
  std::span<float> output_of(const Op& op) const;

  /// Of a layer with latent attention; nullptr elsewhere.
  const MlaSpec* latent_of(const Op& op) const {
    return op.layer < 0 ? nullptr : std::get_if<MlaSpec>(&model_.layers[static_cast<std::size_t>(op.layer)].mixer);
  }
  std::span<float> new_latents(const MlaSpec& a) const;
  void norm_latents(const Op& op, const MlaSpec& a);
  void rotate_latents(const Op& op, const MlaSpec& a);
  void write_latents(const Op& op, const MlaSpec& a);
  void attend_to_latents(const Op& op, const MlaSpec& a);
  void raise_latents(const Op& op, const HeadLinearShape& shape, const MlaSpec& a);
  kernels::AttentionCall latent_call(const Op& op, const MlaSpec& a);
  void rebuild(const Op& op, const LinearShape& shape, const MlaSpec& a);
  kernels::MutableKvPool rebuilt_pool(const MlaSpec& a, const kernels::KvView& view) const;
  kernels::AttentionCall rebuilt_call(const Op& op, const MlaSpec& a);
  std::span<const float> gather_last_rows(std::span<const float> rows, int width);

  /// Elements worth a thread: a core takes about 4 µs for 16,384 of the cheapest kind (64 KiB from L2 at 16 GB/s), which
  /// is what handing work to a watching thread and waiting for it costs on a slow day.
  static constexpr double kElementsPerThread = 16384;

  static kernels::Slice slice_of(IndexRange range) {
    return {static_cast<int>(range.begin), static_cast<int>(range.end)};
  }

  /// Hands out units one by one as threads get free; `fn(unit, thread)`.
  template <class Function>
  void share_out(int n_units, Function&& fn);
  /// Cuts `n_units` among the threads, at least so many a thread that waking it pays.
  template <class Function>
  void spread(int n_units, double elements_per_unit, int multiple, Function&& fn);
  /// As `spread` over all tokens of the step, but calls `fn(sequence's entry, tokens of that sequence)`.
  template <class Function>
  void spread_by_sequence(double elements_per_token, Function&& fn);

  const ModelSpec& model_;
  const Weights& weights_;
  const EngineOptions& options_;
  KvCache& cache_;
  ThreadPool pool_;
  RopeTables rope_tables_;
  StepMemory memory_;
  Step step_;
  PromptPass pass_ = PromptPass::kWhole;
  std::vector<Entry> entries_;                // of the step
  std::vector<std::int32_t> rebuilt_tables_;  // of K and V rebuilt from latents, a block a sequence
  std::vector<kernels::KvSequence> rebuilt_sequences_;
};

// -------- templates

template <class Function>
void OpRunner::spread(int n_units, double elements_per_unit, int multiple, Function&& fn) {
  const double least = std::clamp(std::ceil(kElementsPerThread / elements_per_unit), 1.0, 1e9);
  const auto grain = (static_cast<std::int64_t>(least) + multiple - 1) / multiple * multiple;
  pool_.parallel_for(n_units, grain, [&](IndexRange range, int) { fn(slice_of(range)); });
}

template <class Function>
void OpRunner::spread_by_sequence(double elements_per_token, Function&& fn) {
  spread(static_cast<int>(step_.n_tokens()), elements_per_token, 1, [&](kernels::Slice rows) {
    for (const Entry& entry : entries_) {
      const kernels::Slice tokens{std::max(rows.begin - entry.first_row, 0),
                                  std::min(rows.end - entry.first_row, entry.q_len)};
      if (tokens.begin < tokens.end) fn(entry, tokens);
    }
  });
}

}  // namespace dachlast
