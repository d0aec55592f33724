#include "core/engine/cuda/cuda_runner.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "core/engine/projection_rows.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/kv_store.h"
#include "kernels/cuda/linear.h"
#include "kernels/cuda/step_ops.h"

namespace dachlast {
namespace {

using kernels::cuda::DeviceSegment;

std::size_t area(int rows, int columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

int first_layer_with_cache(const ModelSpec& model) {
  const auto keeps = [](const LayerSpec& layer) {
    const auto* a = std::get_if<AttentionSpec>(&layer.mixer);
    return a == nullptr || !a->shares_kv_with;
  };
  return static_cast<int>(std::ranges::find_if(model.layers, keeps) - model.layers.begin());
}

bool rotates(const LayerSpec& layer) {
  const auto* a = std::get_if<AttentionSpec>(&layer.mixer);
  return a == nullptr || a->rope.has_value();  // latent attention always does
}

/// What a kernel is chosen by, before there is anything to read.
template <class Shape>
kernels::cuda::CudaAttentionCall call_for(const Shape& shape) {
  const kernels::AttentionSizes sizes = kernels::sizes_of(shape);
  kernels::cuda::CudaAttentionCall call{};
  call.n_heads = sizes.n_heads;
  call.pool.layout = {
      .format = shape.kv.format,
      .key_scales = shape.kv.key_scales,
      .values = std::is_same_v<Shape, WideAttentionShape> ? kernels::KvValues::kInKeys : kernels::KvValues::kOwnRows,
      .n_kv_heads = sizes.n_kv_heads,
      .block_size = 1,
      .head_dim = sizes.head_dim,
      .value_dim = sizes.value_dim};
  call.longest_q_len = sizes.q_len;
  return call;
}

/// Rows of logits that a step may return.
std::size_t logit_rows(const StepBounds& bounds) {
  const std::size_t n_sequences = static_cast<std::size_t>(bounds.options.batch_size);
  return bounds.options.logits == LogitsFor::kLastToken ? n_sequences
                                                        : n_sequences * static_cast<std::size_t>(bounds.step_tokens);
}

std::size_t host_logit_bytes(const StepBounds& bounds) {
  if (bounds.options.host_logits == HostLogits::kNever) return 0;
  return logit_rows(bounds) * static_cast<std::size_t>(bounds.model.vocab_size) * sizeof(float);
}

}  // namespace

CudaRunner::CudaRunner(CudaContext& context, const StepBounds& bounds, std::shared_ptr<const CudaWeights> weights,
                       const RopeTables& rope_tables, KvStep& cache)
    : context_(context),
      model_(bounds.model),
      options_(bounds.options),
      weights_(std::move(weights)),
      cache_(cache),
      memory_(context, bounds),
      token_ids_(area(bounds.options.batch_size, bounds.step_tokens)),
      logits_(host_logit_bytes(bounds), "logits"),
      next_ids_(static_cast<std::size_t>(bounds.options.batch_size) * sizeof(std::int32_t), "chosen tokens"),
      first_cached_layer_(first_layer_with_cache(bounds.model)) {
  upload_rope_tables(rope_tables);
}

CudaRunner::~CudaRunner() {
  graphs_.abandon();
  context_.steps.settle();
}

/// Layers with equal angles share a table.
void CudaRunner::upload_rope_tables(const RopeTables& tables) {
  rope_block_ = context_.pool.allocate(static_cast<std::size_t>(tables.bytes()), DeviceSegment::kWorkspace, stream());
  std::span<float> rest = elements_of<float>(rope_block_);
  std::map<const float*, RopeTables::Table> copied;
  for (std::size_t layer = 0; layer < model_.layers.size(); ++layer) {
    rope_of_layer_.emplace_back();
    if (!rotates(model_.layers[layer])) continue;
    const RopeTables::Table host = tables.of_layer(static_cast<int>(layer));
    const auto [place, is_new] = copied.try_emplace(host.cos.data());
    if (is_new) {
      const std::size_t n = host.cos.size();
      kernels::cuda::copy(rest.data(), host.cos.data(), n * sizeof(float), stream());
      kernels::cuda::copy(rest.data() + n, host.sin.data(), n * sizeof(float), stream());
      place->second = {rest.first(n), rest.subspan(n, n), host.n_pairs};
      rest = rest.subspan(2 * n);
    }
    rope_of_layer_.back() = place->second;
  }
  context_.steps.finish();
}

RunnerMemory CudaRunner::memory() const {
  RunnerMemory memory = memory_.memory();
  memory.workspace_bytes += static_cast<double>(rope_block_.bytes().size());
  return memory;
}

// -------- a step

/// Empty where the step is no decode step of plain caches: blocks that move between tiers are others every time.
GraphKey CudaRunner::graph_key(std::span<const SequenceLengths> lengths) const {
  int longest = 0;
  for (const SequenceLengths& one : lengths) longest = std::max(longest, one.kv_len);
  return {static_cast<int>(lengths.size()), kernels::cuda::padded_kv_len(longest), clock_.operations()};
}

void CudaRunner::begin(const Step& step, std::span<const SequenceLengths> lengths, PromptPass pass) {
  step_ = step;
  pass_ = pass;
  const bool one_token_each = std::ranges::all_of(lengths, [](const SequenceLengths& one) { return one.q_len == 1; });
  parameters_ = one_token_each ? &memory_.few() : &memory_.many();
  const kernels::KvView view = cache_.view(first_cached_layer_);
  ring_ = options_.kv.is_ring() ? kernels::cuda::RingRule{view.pool.layout.block_size, options_.kv.n_sinks}
                                : kernels::cuda::RingRule{};
  parameters_->fill(
      token_ids_, view.sequences,
      {view.pool.layout.block_size, model_.learned_position_offset, ring_, cache_.tails(first_cached_layer_)});
  parameters_->upload(context_);
  clock_.begin(stream());
  // A shortcut leaves operations out: another graph than that of a decode step of the same lengths.
  const bool repeats = one_token_each && !options_.kv.staged() && pass == PromptPass::kWhole;
  graphs_.begin(repeats ? std::optional(graph_key(lengths)) : std::nullopt, stream());
  if (graphs_.mode() != StepGraphs::Mode::kReplay)
    clock_.before_ops(stream(), graphs_.mode() == StepGraphs::Mode::kCapture ? Queued::kInGraph : Queued::kNow);
}

void CudaRunner::run(const Op& op) {
  if (graphs_.mode() == StepGraphs::Mode::kReplay) return;
  OpDispatch::run(*this, op);
  clock_.after_op(stream(), graphs_.mode() == StepGraphs::Mode::kCapture ? Queued::kInGraph : Queued::kNow);
}

void CudaRunner::finish() {
  clock_.replayed(graphs_.finish(clock_.n_ops(), stream()));
  clock_.end(stream());
  if (pass_ == PromptPass::kWhole) download(step_);  // a shortcut chooses no token
  context_.steps.finish();
  cache_.finish_step();
  clock_.read();
}

/// Results come to the host behind the step's end, whose time they are no part of.
void CudaRunner::download(const Step& step) {
  const auto n_sequences = static_cast<std::size_t>(step.batch_size);
  kernels::cuda::copy(next_ids_.bytes().data(), memory_.ids(Buffer::kNextIds).data(),
                      n_sequences * sizeof(std::int32_t), stream());
  if (logits_.bytes().empty()) return;
  const std::size_t n_rows =
      step.logits == LogitsFor::kLastToken ? n_sequences : static_cast<std::size_t>(parameters_->n_rows());
  kernels::cuda::copy(logits_.bytes().data(), memory_.floats(Buffer::kLogits).data(),
                      n_rows * static_cast<std::size_t>(model_.vocab_size) * sizeof(float), stream());
}

DType CudaRunner::arithmetic(const Op& op) const {
  if (const auto* shape = std::get_if<LinearShape>(&op.shape))
    return kernels::cuda::linear_variant_for(*shape, options_.weight_storage(), options_.linear_variant).arithmetic;
  const auto of_attention = [&](const auto& shape) {
    return kernels::cuda::attention_variant_for(call_for(shape), options_.attention_variant).arithmetic;
  };
  if (const auto* shape = std::get_if<AttentionShape>(&op.shape)) return of_attention(*shape);
  if (const auto* shape = std::get_if<WideAttentionShape>(&op.shape)) return of_attention(*shape);
  return DType::kF32;
}

// -------- its operations

void CudaRunner::embed(const Op& op, const EmbedShape& shape) {
  const kernels::EmbedTables tables{weights_->matrix(op.weight, op.layer), weights_->positions(),
                                    static_cast<float>(model_.embed_scale)};
  const StepArrays& arrays = parameters_->on_device();
  kernels::cuda::embed(shape, tables, arrays.token_ids, arrays.position_rows, memory_.floats(op.out), stream());
}

kernels::NormRule CudaRunner::norm_rule() const {
  return {static_cast<float>(model_.norm.eps), static_cast<float>(model_.norm.weight_offset)};
}

/// Rows that an operation reads: all, or the last ones of the entries gathered side by side.
std::span<const float> CudaRunner::rows_of(const Op& op, int width) {
  const std::span<const float> rows = memory_.floats(op.in);
  if (op.rows == Rows::kAll || parameters_->longest_q_len() == 1) return rows;
  kernels::cuda::gather_rows(parameters_->on_device().last_rows.first(static_cast<std::size_t>(step_.batch_size)),
                             width, rows, memory_.gathered(), stream());
  return memory_.gathered();
}

void CudaRunner::norm(const Op& op, const NormShape& shape) {
  kernels::cuda::norm(shape, norm_rule(), rows_of(op, shape.dim), shape.dim, weights_->vector(op.weight, op.layer),
                      weights_->bias(op.weight, op.layer), memory_.floats(op.out), shape.dim, stream());
}

void CudaRunner::linear(const Op& op, const LinearShape& shape) {
  const kernels::cuda::CudaLinearCall call{.shape = shape,
                                           .x = rows_of(op, shape.k),
                                           .w = projection_of(op, shape),
                                           .bias = bias_of(op, shape),
                                           .y = output_of(op),
                                           .workspace = memory_.linear(),
                                           .gemm = context_.gemm.get()};
  kernels::cuda::linear_variant_for(shape, options_.weight_storage(), options_.linear_variant).run(call, stream());
}

QkvColumns CudaRunner::columns_of(const Op& op) const {
  const AttentionSpec& a = attention_of(op);
  const bool passed_by = pass_ == PromptPass::kShortcut && op.layer >= options_.what_if.swiftkv_from;
  return {
      .q_heads = passed_by ? 0 : a.n_heads, .kv_heads = a.shares_kv_with ? 0 : a.n_kv_heads, .head_dim = a.head_dim};
}

int CudaRunner::first_row_of(const Op& op) const {
  if (op.kind != OpKind::kQkvProj || latent_of(op) != nullptr || columns_of(op).q_heads > 0) return 0;
  return attention_of(op).n_heads * attention_of(op).head_dim;
}

WeightMatrix CudaRunner::projection_of(const Op& op, const LinearShape& shape) const {
  const WeightMatrix whole = weights_->matrix(op.weight, op.layer);
  if (op.kind != OpKind::kQkvProj || !options_.what_if.any()) return whole;
  return rows_of_projection(whole, area(1, first_row_of(op)), area(1, shape.n), area(1, shape.k));
}

std::span<const float> CudaRunner::bias_of(const Op& op, const LinearShape& shape) const {
  const std::span<const float> whole = weights_->bias(op.weight, op.layer);
  if (op.kind != OpKind::kQkvProj || !options_.what_if.any() || whole.empty()) return whole;
  return whole.subspan(area(1, first_row_of(op)), area(1, shape.n));
}

void CudaRunner::qk_norm(const Op& op, const NormShape& shape) {
  const QkvColumns columns = columns_of(op);
  const int n_tokens = parameters_->n_rows();
  const auto heads = [&](std::span<float> first, int n_heads, WeightRole role) {
    const NormShape all{n_tokens * n_heads, shape.dim, shape.kind};
    kernels::cuda::norm_heads(all, norm_rule(), first, n_heads, columns.width(), weights_->vector(role, op.layer),
                              stream());
  };
  const std::span<float> qkv = memory_.floats(op.in);
  if (columns.q_heads > 0) heads(qkv, columns.q_heads, WeightRole::kQNorm);
  if (columns.kv_heads > 0)
    heads(qkv.subspan(static_cast<std::size_t>(columns.q_width())), columns.kv_heads, WeightRole::kKNorm);
}

void CudaRunner::rope(const Op& op, const RopeShape& shape) {
  const RopeTables::Table& table = rope_of_layer_[static_cast<std::size_t>(op.layer)];
  const StepArrays& arrays = parameters_->on_device();
  kernels::cuda::rope_at(shape, memory_.floats(op.in), columns_of(op).width(), table.cos, table.sin, arrays.positions,
                         stream());
}

void CudaRunner::kv_write(const Op& op, const KvWriteShape&) {
  const QkvColumns columns = columns_of(op);
  const std::span<const float> qkv = memory_.floats(op.in);
  write_cache(op, qkv.subspan(static_cast<std::size_t>(columns.q_width())),
              qkv.subspan(area(1, columns.q_width()) + area(1, columns.kv_width())), columns.width());
}

void CudaRunner::write_cache(const Op& op, std::span<const float> k, std::span<const float> v, int stride) {
  cache_.enter_layer(op.layer);
  const kernels::KvPool pool = cache_.view(op.layer).pool;
  // The view is for reading; kernels of this operation are those that write it.
  const auto writable = [](auto span) {
    using Element = std::remove_const_t<typename decltype(span)::element_type>;
    return std::span(const_cast<Element*>(span.data()), span.size());
  };
  const kernels::cuda::CudaKvTarget target{
      {pool.layout, writable(pool.k), writable(pool.v), writable(pool.k_scales), writable(pool.v_scales)},
      parameters_->on_device().slots.first(static_cast<std::size_t>(parameters_->n_rows())),
      cache_.tails(op.layer),
      parameters_->sequences(),
      parameters_->on_device().blocks,
      parameters_->longest_q_len()};
  kernels::cuda::store_kv(target, k, v, stride, stream());
}

void CudaRunner::attention(const Op& op, const AttentionShape& shape) {
  const AttentionSpec& a = attention_of(op);
  const int cached_layer = a.shares_kv_with.value_or(op.layer);
  attend(op, {.n_heads = a.n_heads,
              .rule = {static_cast<float>(a.scale), static_cast<float>(a.softcap)},
              .mask = {.window = shape.window, .n_sinks = shape.n_sink_tokens},
              .q = memory_.floats(op.in),
              .q_stride = columns_of(op).width(),
              .pool = cache_.view(cached_layer).pool,
              .sequences = {},
              .blocks = {},
              .longest_q_len = 0,
              .longest_kv_len = 0,
              .out = memory_.floats(op.out).first(area(parameters_->n_rows(), a.n_heads * a.head_dim)),
              .tails = cache_.tails(cached_layer)});
}

void CudaRunner::attend(const Op& op, kernels::cuda::CudaAttentionCall call) {
  call.sequences = parameters_->sequences();
  call.blocks = parameters_->on_device().blocks;
  call.longest_q_len = parameters_->longest_q_len();
  call.longest_kv_len = kernels::cuda::padded_kv_len(parameters_->longest_kv_len());
  call.ring = ring_;
  kernels::cuda::attention_variant_for(call, options_.attention_variant).run(call, memory_.attention(), stream());
  cache_.leave_layer(op.layer);
}

void CudaRunner::activate(const Op& op, const ActivationShape& shape) {
  const Activation activation = mlp_of(model_.layers[static_cast<std::size_t>(op.layer)]).activation;
  kernels::cuda::activate(shape, activation, memory_.floats(op.in), memory_.floats(op.out), stream());
}

void CudaRunner::residual(const Op& op, const ResidualShape& shape) {
  kernels::cuda::residual(shape, memory_.floats(op.out), memory_.floats(op.in), stream());
}

void CudaRunner::lm_head(const Op& op, const LinearShape& shape) {
  linear(op, shape);
  if (model_.logit_softcap == 0.0) return;
  kernels::cuda::softcap(memory_.floats(op.out).first(area(shape.m, shape.n)), static_cast<float>(model_.logit_softcap),
                         stream());
}

/// With logits for all tokens those of the last ones lie apart.
void CudaRunner::sample(const Op& op, const SampleShape& shape) {
  const std::span<const float> logits = memory_.floats(op.in);
  const std::span<std::int32_t> ids = memory_.ids(op.out);
  if (op.rows == Rows::kAll || parameters_->longest_q_len() == 1)
    return kernels::cuda::sample(shape, logits, ids, stream());
  for (int entry = 0; entry < shape.n_rows; ++entry)
    kernels::cuda::sample({1, shape.vocab_size}, logits.subspan(area(parameters_->last_row(entry), shape.vocab_size)),
                          ids.subspan(static_cast<std::size_t>(entry), 1), stream());
}

}  // namespace dachlast
