#include "core/engine/engine.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/overloaded.h"
#include "core/engine/engine_options.h"
#include "core/engine/op_runner.h"
#include "core/kv_cache/contiguous_kv_cache.h"
#include "kernels/cost.h"

namespace dachlast {
namespace {

KvCacheShape cache_shape(const EngineOptions& options) {
  return {options.batch_size, options.capacity_tokens, options.precision.kv};
}

WeightStorage storage_of(const WeightMatrix& matrix) {
  return std::visit(
      Overloaded{[](std::span<const float>) { return WeightStorage(DType::kF32); },
                 [](std::span<const BF16>) { return WeightStorage(DType::kBF16); },
                 [](const PackedMatrix& packed) { return WeightStorage(packed.type, WeightLayout::kPanels); }},
      matrix);
}

std::string text_of(const WeightStorage& storage) {
  return fmt::format("{} in {}", name_of(storage.type), storage.layout == WeightLayout::kRows ? "rows" : "panels");
}

EngineOptions validated(const ModelSpec& model, const Weights& weights, const EngineOptions& options) {
  validate(model, options);
  const WeightStorage held = storage_of(weights.matrix(WeightRole::kTokenEmbedding, -1));
  const WeightStorage wanted = options.weight_storage();
  if (held != wanted)
    throw Error(ErrorKind::kUsage, "weights",
                fmt::format("They were opened as {} and the engine is to run {}.", text_of(held), text_of(wanted)));
  return options;
}

/// Room of the largest op list, so that no step allocates.
std::vector<Op> reserved_ops(const ModelSpec& model, const EngineOptions& options) {
  return build_op_list(model, {Phase::kDecode, options.batch_size, 1, options.capacity_tokens}, options.precision);
}

}  // namespace

EngineMemory engine_memory(const ModelSpec& model, const EngineOptions& options) {
  validate(model, options);
  const StepSizes sizes = step_sizes(model, options);
  return {contiguous_kv_cache_bytes(model, cache_shape(options)), sizes.activation_bytes(),
          sizes.workspace_bytes() + RopeTables::bytes_for(model, options.capacity_tokens)};
}

struct Engine::State {
  State(const ModelSpec& model_spec, const Weights& weights, const EngineOptions& engine_options)
      : model(model_spec),
        options(validated(model_spec, weights, engine_options)),
        cache(model_spec, cache_shape(options)),
        runner(model_spec, weights, options, cache),
        ops(reserved_ops(model_spec, options)) {}

  void require_ids(std::span<const std::int32_t> token_ids) const;
  void require_logits(LogitsFor logits, int q_len) const;
  void load_ids(std::span<const std::int32_t> token_ids, int first, int q_len) const;
  void run(const Step& step);
  trace::Span span_of(const Step& step) const;
  trace::Span span_of(const Step& step, const Op& op) const;

  const ModelSpec& model;
  const EngineOptions options;
  ContiguousKvCache cache;
  OpRunner runner;
  std::vector<Op> ops;
  trace::SpanSink* sink = nullptr;
};

void Engine::State::require_ids(std::span<const std::int32_t> token_ids) const {
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  if (token_ids.empty() || token_ids.size() % batch_size != 0)
    throw Error(ErrorKind::kUsage, "token ids",
                fmt::format("{} ids do not fill {} sequences of equal length.", token_ids.size(), options.batch_size),
                "Give every sequence the same number of tokens, at least one.");
  const auto room = static_cast<std::size_t>(cache.room());
  if (token_ids.size() / batch_size > room)
    throw Error(ErrorKind::kDoesNotFit, "KV cache",
                fmt::format("{} tokens are to follow {} and it has room for {} in all.", token_ids.size() / batch_size,
                            cache.position(), options.capacity_tokens),
                "Use a larger context or fewer tokens.");
  const auto known = [this](std::int32_t id) { return id >= 0 && id < model.vocab_size; };
  const auto foreign = std::find_if_not(token_ids.begin(), token_ids.end(), known);
  if (foreign != token_ids.end())
    throw Error(ErrorKind::kUsage, "token ids",
                fmt::format("{} is not in the vocabulary of {} ids, 0 to {}.", *foreign, model.vocab_size,
                            model.vocab_size - 1));
}

void Engine::State::require_logits(LogitsFor logits, int q_len) const {
  if (logits == LogitsFor::kLastToken) return;
  if (options.logits != LogitsFor::kAllTokens)
    throw Error(ErrorKind::kUsage, "logits", "The engine has room for those of the last token only.",
                "Make it with logits for all tokens.");
  if (q_len > largest_step_tokens(options))
    throw Error(ErrorKind::kUsage, "logits",
                fmt::format("{} tokens take more than one step of {}, and only the last step's logits stay.", q_len,
                            largest_step_tokens(options)),
                "Use larger steps.");
}

void Engine::State::load_ids(std::span<const std::int32_t> token_ids, int first, int q_len) const {
  const auto sequence_length = token_ids.size() / static_cast<std::size_t>(options.batch_size);
  auto target = runner.token_ids().begin();
  for (std::size_t start = static_cast<std::size_t>(first); start < token_ids.size(); start += sequence_length)
    target = std::copy_n(token_ids.begin() + static_cast<std::ptrdiff_t>(start), q_len, target);
}

trace::Span Engine::State::span_of(const Step& step) const {
  trace::Span span;
  span.zone = trace::ZoneKind::kStep;
  span.phase = step.phase;
  span.n_tokens = step.batch_size * step.q_len;
  span.kv_len = step.kv_len;
  return span;
}

trace::Span Engine::State::span_of(const Step& step, const Op& op) const {
  trace::Span span = span_of(step);
  span.zone = trace::ZoneKind::kOp;
  span.op = op.kind;
  span.layer = op.layer;
  if (sink != nullptr) {  // NVTX carries neither, so nobody would read them
    span.cost = kernels::op_cost(op.shape);
    span.arithmetic = runner.arithmetic(op);
  }
  return span;
}

void Engine::State::run(const Step& step) {
  trace::Mark step_mark(sink, span_of(step));
  build_op_list(model, step, options.precision, ops);
  runner.begin(step);
  for (const Op& op : ops) {
    const trace::Span span = span_of(step, op);
    step_mark.count(span.cost);
    const trace::Mark mark(sink, span);
    runner.run(op);
  }
  cache.advance(step.q_len);
}

Engine::Engine(const ModelSpec& model, const Weights& weights, const EngineOptions& options)
    : state_(std::make_unique<State>(model, weights, options)) {}

Engine::~Engine() = default;

const ModelSpec& Engine::model() const {
  return state_->model;
}
const EngineOptions& Engine::options() const {
  return state_->options;
}
void Engine::set_sink(trace::SpanSink* sink) {
  state_->sink = sink;
}

std::span<const float> Engine::prefill(std::span<const std::int32_t> token_ids, LogitsFor logits) {
  state_->require_ids(token_ids);
  const int batch_size = state_->options.batch_size;
  const int q_len = static_cast<int>(token_ids.size()) / batch_size;
  state_->require_logits(logits, q_len);
  const int step_tokens = largest_step_tokens(state_->options);
  for (int first = 0; first < q_len; first += step_tokens) {
    const int n_new = std::min(step_tokens, q_len - first);
    state_->load_ids(token_ids, first, n_new);
    state_->run({Phase::kPrefill, batch_size, n_new, position() + n_new, logits});
  }
  const int n_rows = logits == LogitsFor::kLastToken ? batch_size : batch_size * q_len;
  return state_->runner.logits().first(static_cast<std::size_t>(n_rows) * static_cast<std::size_t>(model().vocab_size));
}

std::span<const float> Engine::decode(std::span<const std::int32_t> token_ids) {
  state_->require_ids(token_ids);
  const int batch_size = state_->options.batch_size;
  if (token_ids.size() != static_cast<std::size_t>(batch_size))
    throw Error(ErrorKind::kUsage, "token ids",
                fmt::format("{} ids are not one for each of {} sequences.", token_ids.size(), batch_size));
  state_->load_ids(token_ids, 0, 1);
  state_->run({Phase::kDecode, batch_size, 1, position() + 1});
  return state_->runner.logits().first(static_cast<std::size_t>(batch_size) *
                                       static_cast<std::size_t>(model().vocab_size));
}

std::span<const std::int32_t> Engine::next_ids() const {
  return state_->runner.next_ids().first(static_cast<std::size_t>(state_->options.batch_size));
}

int Engine::position() const {
  return state_->cache.position();
}

void Engine::truncate(int n_tokens) {
  if (n_tokens < 0 || n_tokens > position())
    throw Error(ErrorKind::kUsage, "KV cache",
                fmt::format("It holds {} tokens and cannot be cut to {}.", position(), n_tokens));
  state_->cache.truncate(n_tokens);
}

EngineMemory Engine::memory() const {
  const StepMemory& memory = state_->runner.memory();
  return {state_->cache.bytes(), memory.activation_bytes(),
          memory.workspace_bytes() + state_->runner.rope_tables().bytes()};
}

}  // namespace dachlast
