#include "core/engine/op_runner.h"

#include <atomic>

#include "core/engine/projection_rows.h"

namespace dachlast {
namespace {

// Columns of a projection are cut at whole cache lines of the output, so that two threads never write the same line.
constexpr int kColumnsPerLine = 16;

// Tiles of a projection whose kernel orders its sums by what it is given: cut by shape alone, or the number of threads
// would show in the last bits. A library's GEMM first packs both operands, which costs (1/rows + 1/columns) of the
// products: tiles of 128 × 96 ran at half the speed of 256 × 128. 256 columns of 2,048 bf16 weights are 1 MiB, which stay in L2
// from one row tile to the next; narrow projections take an eighth of their columns, so that there are tiles to share.
constexpr int kTileRows = 256;
constexpr int kLeastTileColumns = 128;
constexpr int kMostTileColumns = 256;

int tile_columns(int n) {
  constexpr int kRegisterColumns = 16;
  return std::clamp((n / 8 + kRegisterColumns - 1) / kRegisterColumns * kRegisterColumns, kLeastTileColumns,
                    kMostTileColumns);
}

int pieces(int n, int size) {
  return (n + size - 1) / size;
}

std::span<const float> norm_weights(const Weights& weights, WeightRole role, int layer) {
  return std::get<std::span<const float>>(weights.matrix(role, layer));
}

template <class Function>
Function* fastest(std::span<const kernels::Variant<Function>> variants) {
  return kernels::first_supported(variants).run;
}

}  // namespace

OpRunner::OpRunner(const ModelSpec& model, const Weights& weights, const EngineOptions& options, KvCache& cache)
    : model_(model),
      weights_(weights),
      options_(options),
      cache_(cache),
      pool_(options.n_threads, options.core_ids),
      rope_tables_(model, options.capacity_tokens),
      memory_(step_sizes(model, options)) {}

template <class Function>
void OpRunner::share_out(int n_units, Function&& fn) {
  if (pool_.n_threads() == 1 || n_units == 1) {
    for (int unit = 0; unit < n_units; ++unit) fn(unit, 0);
    return;
  }
  std::atomic<int> next{0};
  pool_.run([&](int thread) {
    for (int unit = next++; unit < n_units; unit = next++) fn(unit, thread);
  });
}

void OpRunner::begin(const Step& step, std::span<const SequenceLengths> lengths, PromptPass pass) {
  step_ = step;
  pass_ = pass;
  entries_.clear();
  int row = 0;
  for (const SequenceLengths& one : lengths) {
    entries_.push_back({static_cast<int>(entries_.size()), row, one.q_len, one.kv_len - one.q_len});
    row += one.q_len;
  }
  if (model_.n_learned_positions == 0) return;
  auto position = memory_.position_rows().begin();
  for (const Entry& entry : entries_)
    for (int i = 0; i < entry.q_len; ++i) *position++ = entry.first_position + i + model_.learned_position_offset;
}

void OpRunner::run(const Op& op) {
  OpDispatch::run(*this, op);
}

DType OpRunner::arithmetic(const Op& op) const {
  if (const auto* shape = std::get_if<LinearShape>(&op.shape)) {
    if (options_.weight_storage().layout == WeightLayout::kPanels && op.weight != WeightRole::kKvUp)
      return kernels::packed_linear_variant_for(shape->weight_dtype, options_.linear_variant).arithmetic;
    return kernels::linear_variant_for(*shape, options_.linear_variant).arithmetic;
  }
  if (op.kind == OpKind::kAttention)
    return kernels::attention_variant_for(options_.precision.kv.format, options_.attention_variant).arithmetic;
  return DType::kF32;
}

void OpRunner::embed(const Op& op, const EmbedShape& shape) {
  const kernels::EmbedTables tables{weights_.matrix(op.weight, op.layer), weights_.positions(),
                                    static_cast<float>(model_.embed_scale)};
  auto* kernel = fastest(kernels::embed_variants());
  spread(shape.n_tokens, shape.d_model, 1, [&](kernels::Slice tokens) {
    kernel(shape, tables, token_ids(), memory_.position_rows(), memory_.floats(op.out), tokens);
  });
}

kernels::NormRule OpRunner::norm_rule() const {
  return {static_cast<float>(model_.norm.eps), static_cast<float>(model_.norm.weight_offset)};
}

void OpRunner::norm(const Op& op, const NormShape& shape) {
  const std::span<const float> x = memory_.floats(op.in);
  const std::span<const float> w = norm_weights(weights_, op.weight, op.layer);
  const std::span<const float> bias = weights_.bias(op.weight, op.layer);
  auto* kernel = fastest(kernels::norm_variants());
  if (op.rows == Rows::kAll)
    return spread(shape.n_rows, shape.dim, 1, [&](kernels::Slice rows) {
      kernel(shape, norm_rule(), x, shape.dim, w, bias, memory_.floats(op.out), shape.dim, rows);
    });
  // The last rows of sequences lie apart; written they are packed.
  const auto dim = static_cast<std::size_t>(shape.dim);
  const NormShape one_row{1, shape.dim, shape.kind};
  spread(shape.n_rows, shape.dim, 1, [&](kernels::Slice rows) {
    for (int i = rows.begin; i < rows.end; ++i) {
      const auto row = static_cast<std::size_t>(entries_[static_cast<std::size_t>(i)].last_row());
      kernel(one_row, norm_rule(), x.subspan(row * dim), shape.dim, w, bias,
             memory_.floats(op.out).subspan(static_cast<std::size_t>(i) * dim), shape.dim, {0, 1});
    }
  });
}

void OpRunner::linear(const Op& op, const LinearShape& shape) {
  std::span<const float> x = memory_.floats(op.in);
  if (op.rows == Rows::kLastOfEachSequence) x = gather_last_rows(x, shape.k);
  const LinearOperands operands{x, projection_of(op, shape), bias_of(op, shape), output_of(op)};
  if (const auto* packed = std::get_if<PackedMatrix>(&operands.w)) return linear_in_panels(shape, operands, *packed);
  const kernels::LinearVariant& variant = kernels::linear_variant_for(shape, options_.linear_variant);
  if (variant.slice_effect == kernels::SliceEffect::kLastBits) return linear_in_tiles(variant, shape, operands);
  spread(shape.n, static_cast<double>(shape.k) * shape.m, kColumnsPerLine, [&](kernels::Slice columns) {
    variant.run(shape, operands.x, operands.w, operands.bias, operands.y, columns);
  });
}

/// Latents of keys lie behind those of queries.
std::span<float> OpRunner::output_of(const Op& op) const {
  return op.weight == WeightRole::kKvDown ? new_latents(*latent_of(op)) : memory_.floats(op.out);
}

void OpRunner::linear_in_panels(const LinearShape& shape, const LinearOperands& operands, const PackedMatrix& w) {
  const auto& variant = kernels::packed_linear_variant_for(w.type, options_.linear_variant);
  const kernels::RowTiles tiles(shape);
  const std::span<std::byte> packed = memory_.packed_rows();
  spread(tiles.n_tiles(), static_cast<double>(shape.k) * tiles.rows(0), 1,
         [&](kernels::Slice slice) { variant.pack_rows(shape, operands.x, packed, slice); });
  const auto multiply = [&](kernels::Slice panels) {
    variant.run(shape, packed, w, operands.bias, operands.y, panels);
  };
  // Few rows: memory binds, and each thread streams one contiguous piece. Many: threads take the next panel as they get
  // free, so that one that is held up delays nobody by more than a panel.
  constexpr int kRowsThatHideMemory = 64;
  if (shape.m <= kRowsThatHideMemory)
    spread(w.n_panels(), static_cast<double>(kPanelRows) * shape.k * shape.m, 1, multiply);
  else
    share_out(w.n_panels(), [&](int panel, int) { multiply({panel, panel + 1}); });
}

void OpRunner::linear_in_tiles(const kernels::LinearVariant& variant, const LinearShape& shape,
                               const LinearOperands& operands) {
  const int width = tile_columns(shape.n);
  const int n_row_tiles = pieces(shape.m, kTileRows);
  share_out(n_row_tiles * pieces(shape.n, width), [&](int tile, int) {
    const int first_row = tile % n_row_tiles * kTileRows;
    const int first_column = tile / n_row_tiles * width;
    const LinearShape rows{std::min(kTileRows, shape.m - first_row), shape.n, shape.k, shape.weight_dtype};
    variant.run(rows, operands.x.subspan(static_cast<std::size_t>(first_row) * shape.k), operands.w, operands.bias,
                operands.y.subspan(static_cast<std::size_t>(first_row) * shape.n),
                {first_column, std::min(first_column + width, shape.n)});
  });
}

QkvColumns OpRunner::columns_of(const Op& op) const {
  const AttentionSpec& a = attention_of(op);
  const bool passed_by = pass_ == PromptPass::kShortcut && op.layer >= options_.what_if.swiftkv_from;
  return {
      .q_heads = passed_by ? 0 : a.n_heads, .kv_heads = a.shares_kv_with ? 0 : a.n_kv_heads, .head_dim = a.head_dim};
}

/// Row of the fused projection that the step's part of it begins with.
int OpRunner::first_row_of(const Op& op) const {
  if (op.kind != OpKind::kQkvProj || columns_of(op).q_heads > 0) return 0;
  return attention_of(op).n_heads * attention_of(op).head_dim;
}

/// Rows of the matrix that this operation multiplies by: all, but for layers that compute a part of Q, K and V.
WeightMatrix OpRunner::projection_of(const Op& op, const LinearShape& shape) const {
  const WeightMatrix whole = weights_.matrix(op.weight, op.layer);
  if (op.kind != OpKind::kQkvProj) return whole;
  return rows_of_projection(whole, static_cast<std::size_t>(first_row_of(op)), static_cast<std::size_t>(shape.n),
                            static_cast<std::size_t>(shape.k));
}

std::span<const float> OpRunner::bias_of(const Op& op, const LinearShape& shape) const {
  const std::span<const float> whole = weights_.bias(op.weight, op.layer);
  if (op.kind != OpKind::kQkvProj || whole.empty()) return whole;
  return whole.subspan(static_cast<std::size_t>(first_row_of(op)), static_cast<std::size_t>(shape.n));
}

void OpRunner::qk_norm(const Op& op, const NormShape& shape) {
  const QkvColumns columns = columns_of(op);
  const int width = columns.width();
  const std::span<const float> q_weight = norm_weights(weights_, WeightRole::kQNorm, op.layer);
  const std::span<const float> k_weight =
      columns.kv_heads > 0 ? norm_weights(weights_, WeightRole::kKNorm, op.layer) : std::span<const float>();
  auto* kernel = fastest(kernels::norm_variants());
  // The heads of one token lie next to each other, q heads before k heads; those of the next token `width` further on.
  const auto norm_heads = [&](std::span<float> heads, int n_heads, std::span<const float> w) {
    const NormShape one_token{n_heads, shape.dim, shape.kind};
    kernel(one_token, norm_rule(), heads, shape.dim, w, {}, heads, shape.dim, {0, n_heads});
  };
  spread(static_cast<int>(step_.n_tokens()), width, 1, [&](kernels::Slice tokens) {
    for (int token = tokens.begin; token < tokens.end; ++token) {
      const std::span<float> row = memory_.floats(op.in).subspan(static_cast<std::size_t>(token) * width, width);
      if (columns.q_heads > 0) norm_heads(row, columns.q_heads, q_weight);
      if (columns.kv_heads > 0)
        norm_heads(row.subspan(static_cast<std::size_t>(columns.q_width())), columns.kv_heads, k_weight);
    }
  });
}

void OpRunner::rope(const Op& op, const RopeShape& shape) {
  const int width = columns_of(op).width();
  auto* kernel = fastest(kernels::rope_variants());
  spread_by_sequence(1.0 * shape.n_heads * shape.rotary_dim, [&](const Entry& entry, kernels::Slice tokens) {
    const RopeTables::Table table = rope_tables_.of_layer(op.layer).from(entry.first_position);
    const RopeShape one_sequence{entry.q_len, shape.n_heads, shape.head_dim, shape.rotary_dim};
    const std::size_t first = static_cast<std::size_t>(entry.first_row) * width;
    kernel(one_sequence, memory_.floats(op.in).subspan(first), width, table.cos, table.sin, tokens);
  });
}

void OpRunner::store_heads(const Op& op, const Entry& entry, kernels::Slice tokens, kernels::Slice heads) {
  const QkvColumns columns = columns_of(op);
  const int width = columns.width();
  const std::size_t row = static_cast<std::size_t>(entry.first_row + tokens.begin) * width;
  const auto k_column = static_cast<std::size_t>(columns.q_width());
  const std::size_t v_column = k_column + static_cast<std::size_t>(columns.kv_width());
  kernels::KvTarget target = cache_.target(op.layer, entry.index);
  target.first_slot += tokens.begin;
  if (!target.slots.empty()) target.slots = target.slots.subspan(static_cast<std::size_t>(tokens.begin));
  const std::span<const float> qkv = memory_.floats(op.in);
  kernels::store_kv(target, qkv.subspan(row + k_column), qkv.subspan(row + v_column), width, tokens.end - tokens.begin,
                    heads);
}

void OpRunner::kv_write(const Op& op, const KvWriteShape& shape) {
  cache_.enter_layer(op.layer);
  if (shape.kv.key_scales == KeyScales::kPerToken)
    return spread_by_sequence(2.0 * shape.n_kv_heads * shape.head_dim, [&](const Entry& entry, kernels::Slice tokens) {
      store_heads(op, entry, tokens, {0, shape.n_kv_heads});
    });
  // Scales along channels need the tokens of a head one after the other.
  for (const Entry& entry : entries_)
    spread(shape.n_kv_heads, 2.0 * entry.q_len * shape.head_dim, 1, [&](kernels::Slice heads) {
      store_heads(op, entry, {0, entry.q_len}, heads);
    });
}

kernels::AttentionCall OpRunner::attention_call(const Op& op, const AttentionShape& shape) {
  const AttentionSpec& a = attention_of(op);
  return {.n_heads = a.n_heads,
          .rule = {static_cast<float>(a.scale), static_cast<float>(a.softcap)},
          .mask = {.window = shape.window, .n_sinks = shape.n_sink_tokens},
          .q = memory_.floats(op.in),
          .q_stride = columns_of(op).width(),
          .kv = cache_.view(a.shares_kv_with.value_or(op.layer)),
          .out = memory_.floats(op.out),
          .states = memory_.states()};
}

void OpRunner::attention(const Op& op, const AttentionShape& shape) {
  attend(op, attention_call(op, shape), kernels::sizes_of(shape));
}

void OpRunner::attend(const Op& op, const kernels::AttentionCall& call, const kernels::AttentionSizes& sizes) {
  auto* kernel = kernels::attention_variant_for(call.kv.pool.layout.format, options_.attention_variant).run;
  const auto attend = [&](kernels::Slice units, int thread) { kernel(call, memory_.scratch(thread), units); };
  const int n_units = kernels::attention_units(call);
  const double elements = 2.0 * sizes.batch_size * sizes.n_kv_heads * sizes.kv_len * sizes.head_dim * sizes.q_len;
  if (elements < kElementsPerThread || pool_.n_threads() == 1)
    attend({0, n_units}, 0);
  else if (sizes.q_len == 1 && step_.sequences.empty())
    // Lockstep decode: all units cost the same, and a fixed cut leaves each head's rows in the cache of the core that
    // read them.
    pool_.parallel_for(n_units, 1, [&](IndexRange range, int thread) { attend(slice_of(range), thread); });
  else
    // Causality makes late tiles dearer than early ones, and sequences differ: threads take the next unit as they get
    // free.
    share_out(n_units, [&](int unit, int thread) { attend({unit, unit + 1}, thread); });
  spread(kernels::combine_units(call), sizes.value_dim, 1,
         [&](kernels::Slice rows) { kernels::combine_attention(call, rows); });
  cache_.leave_layer(op.layer);
}

void OpRunner::activate(const Op& op, const ActivationShape& shape) {
  const Activation activation = mlp_of(model_.layers[static_cast<std::size_t>(op.layer)]).activation;
  auto* kernel = fastest(kernels::activate_variants());
  spread(shape.n_tokens, shape.d_ff, 1, [&](kernels::Slice tokens) {
    kernel(shape, activation, memory_.floats(op.in), memory_.floats(op.out), tokens);
  });
}

void OpRunner::residual(const Op& op, const ResidualShape& shape) {
  auto* kernel = fastest(kernels::residual_variants());
  spread(shape.n_tokens, shape.d_model, 1,
         [&](kernels::Slice tokens) { kernel(shape, memory_.floats(op.out), memory_.floats(op.in), tokens); });
}

void OpRunner::lm_head(const Op& op, const LinearShape& shape) {
  linear(op, shape);
  if (model_.logit_softcap == 0.0) return;
  const auto cap = static_cast<float>(model_.logit_softcap);
  spread(shape.m, shape.n, 1, [&](kernels::Slice rows) {
    const std::size_t first = static_cast<std::size_t>(rows.begin) * shape.n;
    const std::size_t count = static_cast<std::size_t>(rows.end - rows.begin) * shape.n;
    kernels::softcap(memory_.floats(op.out).subspan(first, count), cap);
  });
}

void OpRunner::sample(const Op& op, const SampleShape& shape) {
  const SampleShape one_row{1, shape.vocab_size};
  auto* kernel = fastest(kernels::sample_variants());
  spread(shape.n_rows, shape.vocab_size, 1, [&](kernels::Slice rows) {
    for (int row = rows.begin; row < rows.end; ++row) {
      // With logits for all tokens those of the last ones lie apart.
      const int of_last =
          op.rows == Rows::kLastOfEachSequence ? entries_[static_cast<std::size_t>(row)].last_row() : row;
      const std::size_t first = static_cast<std::size_t>(of_last) * shape.vocab_size;
      kernel(one_row, memory_.floats(op.in).subspan(first, static_cast<std::size_t>(shape.vocab_size)),
             memory_.ids(op.out).subspan(static_cast<std::size_t>(row), 1), {0, 1});
    }
  });
}

std::span<const float> OpRunner::gather_last_rows(std::span<const float> rows, int width) {
  const std::span<float> gathered = memory_.gathered();
  for (const Entry& entry : std::span(entries_).first(static_cast<std::size_t>(step_.batch_size)))
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(entry.last_row()) * width, width,
                gathered.begin() + static_cast<std::ptrdiff_t>(entry.index) * width);
  return gathered;
}

}  // namespace dachlast
