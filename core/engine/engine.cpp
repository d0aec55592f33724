#include "core/engine/engine.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/overloaded.h"
#include "core/engine/device_part.h"
#include "core/engine/engine_options.h"
#include "core/engine/latent_form.h"
#include "core/engine/op_runner.h"
#include "kernels/cost.h"

namespace dachlast {
namespace {

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

/// Options past this are consistent: the precision says all about the cache that costs depend on.
EngineOptions validated(const ModelSpec& model, const Weights& weights, EngineOptions options) {
  validate(model, options);
  options.precision.kv = storage_of(options.kv, options.precision.kv.format);
  const WeightStorage held = storage_of(weights.matrix(WeightRole::kTokenEmbedding, -1));
  const WeightStorage wanted = options.weight_storage();
  if (held != wanted)
    throw Error(ErrorKind::kUsage, "weights",
                fmt::format("They were opened as {} and the engine is to run {}.", text_of(held), text_of(wanted)));
  return options;
}

std::int64_t now_ns() {
  const auto since_epoch = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
}

std::unique_ptr<DevicePart> device_part(const ModelSpec& model, const Weights& weights, const EngineOptions& options) {
  return options.device ? std::make_unique<DevicePart>(model, weights, options) : nullptr;
}

std::unique_ptr<StepRunner> make_runner(const ModelSpec& model, const Weights& weights, const EngineOptions& options,
                                        KvCache& cache, const DevicePart* device) {
  if (device == nullptr) return std::make_unique<OpRunner>(model, weights, options, cache);
  return options.device->make_runner(device->bounds.bounds, weights, device->rope_tables, cache);
}

}  // namespace

KvCacheOptions cache_options(const EngineOptions& options) {
  return {.spec = options.kv,
          .format = options.precision.kv.format,
          .max_sequences = options.batch_size,
          .capacity_tokens = options.capacity_tokens,
          .max_step_tokens = largest_step_tokens(options),
          .n_blocks = options.kv_blocks,
          .sharing = options.sharing,
          .tier = options.kv_tier};
}

EngineMemory engine_memory(const ModelSpec& spec, const EngineOptions& options) {
  validate(spec, options);
  const ModelSpec model = with_what_if(spec, options.what_if);
  if (options.device) return device_memory(model, options);
  const StepSizes sizes = step_sizes(model, options);
  return {kv_cache_bytes(model, cache_options(options)), sizes.activation_bytes(),
          sizes.workspace_bytes() + RopeTables::bytes_for(model, options.capacity_tokens)};
}

struct Engine::State {
  State(const ModelSpec& model_spec, const Weights& weights, const EngineOptions& engine_options)
      : model(with_what_if(with_reach(model_spec, engine_options.kv), engine_options.what_if)),
        options(validated(model_spec, weights, engine_options)),
        cache(model, cache_options(options), options.device.get()),
        device(device_part(model, weights, options)),
        runner(make_runner(model, weights, options, cache, device.get())),
        ops(largest_ops(model, options, Phase::kDecode)) {}  // room for every step, so that none allocates

  void require_ids(std::span<const std::int32_t> token_ids) const;
  void require_in_vocabulary(std::span<const std::int32_t> token_ids) const;
  void require_logits(LogitsFor logits, int q_len) const;
  void require_entry(const SequenceStep& entry) const;
  void require_entries(std::span<const SequenceStep> wanted) const;
  void take_lockstep();
  void enter_lockstep(std::span<const std::int32_t> token_ids, int first, int q_len);
  int begin(std::span<const SequenceStep> wanted);
  Step ragged(Phase phase) const;
  void run_lockstep(Step step, PromptPass pass = PromptPass::kWhole);
  void run(const Step& step, PromptPass pass = PromptPass::kWhole);
  void prefill_by_shortcut(std::span<const std::int32_t> token_ids, int q_len);
  void report_device_times(const Step& step, std::int64_t start_ns, const OpCost& cost) const;
  std::span<const float> logits(std::size_t n_rows) const;
  trace::Span span_of(const Step& step) const;
  trace::Span span_of(const Step& step, const Op& op) const;

  const ModelSpec model;
  const EngineOptions options;
  KvCache cache;
  std::unique_ptr<DevicePart> device;
  std::unique_ptr<StepRunner> runner;
  std::vector<Op> ops;
  std::vector<SequenceId> lockstep;      // batch_size of them, or none yet
  std::vector<SequenceStep> entries;     // of a lockstep step
  std::vector<SequenceLengths> lengths;  // of the current step
  trace::SpanSink* sink = nullptr;
};

void Engine::State::require_in_vocabulary(std::span<const std::int32_t> token_ids) const {
  const auto known = [this](std::int32_t id) { return id >= 0 && id < model.vocab_size; };
  const auto foreign = std::find_if_not(token_ids.begin(), token_ids.end(), known);
  if (foreign != token_ids.end())
    throw Error(ErrorKind::kUsage, "token ids",
                fmt::format("{} is not in the vocabulary of {} ids, 0 to {}.", *foreign, model.vocab_size,
                            model.vocab_size - 1));
}

void Engine::State::require_ids(std::span<const std::int32_t> token_ids) const {
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  if (token_ids.empty() || token_ids.size() % batch_size != 0)
    throw Error(ErrorKind::kUsage, "token ids",
                fmt::format("{} ids do not fill {} sequences of equal length.", token_ids.size(), options.batch_size),
                "Give every sequence the same number of tokens, at least one.");
  const int position = cache.n_tokens(lockstep.front());
  if (token_ids.size() / batch_size > static_cast<std::size_t>(options.capacity_tokens - position))
    throw Error(ErrorKind::kDoesNotFit, "KV cache",
                fmt::format("{} tokens are to follow {} and it has room for {} in all.", token_ids.size() / batch_size,
                            position, options.capacity_tokens),
                "Use a larger context or fewer tokens.");
  require_in_vocabulary(token_ids);
}

void Engine::State::require_logits(LogitsFor logits, int q_len) const {
  if (logits == LogitsFor::kLastToken) return;
  if (options.what_if.swiftkv_from > 0)
    throw Error(ErrorKind::kUsage, "logits", "A prefill by shortcut computes those of the last token only.",
                "Leave the what-if out.");
  if (options.logits != LogitsFor::kAllTokens)
    throw Error(ErrorKind::kUsage, "logits", "The engine has room for those of the last token only.",
                "Make it with logits for all tokens.");
  if (q_len > largest_step_tokens(options))
    throw Error(ErrorKind::kUsage, "logits",
                fmt::format("{} tokens take more than one step of {}, and only the last step's logits stay.", q_len,
                            largest_step_tokens(options)),
                "Use larger steps.");
}

void Engine::State::require_entry(const SequenceStep& entry) const {
  const std::size_t n_new = entry.token_ids.size();
  if (n_new == 0 || n_new > static_cast<std::size_t>(largest_step_tokens(options)))
    throw Error(ErrorKind::kUsage, "step",
                fmt::format("A sequence takes part with 1 to {} tokens, not {}.", largest_step_tokens(options), n_new),
                "Cut a long prompt into steps.");
  if (n_new > static_cast<std::size_t>(cache.room(entry.sequence)))
    throw Error(ErrorKind::kDoesNotFit, "KV cache",
                fmt::format("{} tokens are to follow {} and a sequence has room for {} in all.", n_new,
                            cache.n_tokens(entry.sequence), options.capacity_tokens),
                "Use a larger context or fewer tokens.");
  require_in_vocabulary(entry.token_ids);
}

void Engine::State::require_entries(std::span<const SequenceStep> wanted) const {
  if (wanted.empty() || wanted.size() > static_cast<std::size_t>(options.batch_size))
    throw Error(ErrorKind::kUsage, "step",
                fmt::format("It runs 1 to {} sequences, not {}.", options.batch_size, wanted.size()));
  for (const SequenceStep& entry : wanted) {
    require_entry(entry);
    if (std::ranges::count(wanted, entry.sequence, &SequenceStep::sequence) > 1)
      throw Error(ErrorKind::kUsage, "step", "A sequence comes twice.", "Give its tokens in one entry.");
  }
}

void Engine::State::take_lockstep() {
  if (!lockstep.empty()) return;
  if (cache.n_sequences() > 0)
    throw Error(ErrorKind::kUsage, "engine", "It holds sequences of its own already.",
                "Remove them, or run them with `step`.");
  for (int i = 0; i < options.batch_size; ++i) lockstep.push_back(cache.add(options.capacity_tokens));
}

/// Lists tokens first … first + q_len − 1 of every sequence.
void Engine::State::enter_lockstep(std::span<const std::int32_t> token_ids, int first, int q_len) {
  const std::size_t length = token_ids.size() / lockstep.size();
  entries.clear();
  for (std::size_t i = 0; i < lockstep.size(); ++i)
    entries.push_back({lockstep[i], token_ids.subspan(i * length + static_cast<std::size_t>(first),
                                                      static_cast<std::size_t>(q_len))});
}

/// Room in the cache, rows and ids of a step. Returns how many blocks are missing.
int Engine::State::begin(std::span<const SequenceStep> wanted) {
  if (const int n_missing = cache.begin_step(wanted); n_missing > 0) return n_missing;
  lengths.clear();
  auto target = runner->token_ids().begin();
  for (const SequenceStep& entry : wanted) {
    lengths.push_back({static_cast<int>(entry.token_ids.size()), cache.n_tokens(entry.sequence)});
    target = std::ranges::copy(entry.token_ids, target).out;
  }
  for (const KvRecompute& anew : cache.recomputed()) {
    const auto n_tokens = static_cast<int>(anew.token_ids.size());
    lengths.push_back({n_tokens, n_tokens});
    target = std::ranges::copy(anew.token_ids, target).out;
  }
  return 0;
}

trace::Span Engine::State::span_of(const Step& step) const {
  trace::Span span;
  span.zone = trace::ZoneKind::kStep;
  span.phase = step.phase;
  span.n_tokens = static_cast<int>(step.n_tokens());
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
    span.arithmetic = runner->arithmetic(op);
  }
  return span;
}

void Engine::State::run(const Step& step, PromptPass pass) {
  trace::SpanSink* const on_host = device ? nullptr : sink;  // a device takes its times itself
  const std::int64_t start_ns = now_ns();
  OpCost cost;
  {
    trace::Mark step_mark(on_host, span_of(step));
    build_op_list(model, formed(model, options, step), options.precision, ops);
    if (options.what_if.shared_layers > 0) shape_shared_attention(model, step, options.precision, ops);
    if (pass == PromptPass::kShortcut) take_shortcut(model, options.what_if, ops);
    runner->begin(step, lengths, pass);
    for (const Op& op : ops) {
      const trace::Span span = span_of(step, op);
      cost += span.cost;
      const trace::Mark mark(on_host, span);
      runner->run(op);
    }
    runner->finish();
    step_mark.count(cost);
  }
  if (device && sink != nullptr) report_device_times(step, start_ns, cost);
}

void Engine::State::report_device_times(const Step& step, std::int64_t start_ns, const OpCost& cost) const {
  const auto shifted = [&](trace::Span span, const DeviceTime& time) {
    span.start_ns = start_ns + std::llround(time.begin.value * 1e9);
    span.end_ns = start_ns + std::llround(time.end.value * 1e9);
    return span;
  };
  const std::span<const DeviceTime> times = runner->op_times();
  for (std::size_t i = 0; i < times.size(); ++i) sink->add(shifted(span_of(step, ops[i]), times[i]));
  trace::Span whole = span_of(step);
  whole.cost = cost;
  sink->add(shifted(whole, runner->step_time().value()));
}

/// The step of `lengths`. Tokens computed anew are further sequences of it, behind those that want logits.
Step Engine::State::ragged(Phase phase) const {
  Step step = ragged_step(phase, lengths);
  step.batch_size -= static_cast<int>(cache.recomputed().size());
  return step;
}

/// All `entries` have equal lengths.
void Engine::State::run_lockstep(Step step, PromptPass pass) {
  if (const int n_missing = begin(entries); n_missing > 0)
    throw Error(ErrorKind::kDoesNotFit, "KV cache",
                fmt::format("{} blocks are missing for the next tokens.", n_missing),
                "Give it more blocks, or use a shorter context.");
  if (!cache.recomputed().empty()) {
    const LogitsFor logits = step.logits;
    step = ragged(step.phase);
    step.logits = logits;
  }
  run(step, pass);
}

/// Of the last step; empty where they stay on a device.
std::span<const float> Engine::State::logits(std::size_t n_rows) const {
  const std::span<const float> all = runner->logits();
  return all.empty() ? all : all.first(n_rows * static_cast<std::size_t>(model.vocab_size));
}

/// All tokens but the last fill the cache, the last one goes through every layer.
void Engine::State::prefill_by_shortcut(std::span<const std::int32_t> token_ids, int q_len) {
  const int step_tokens = largest_step_tokens(options);
  const auto pass = [&](int first, int n_new, PromptPass which) {
    enter_lockstep(token_ids, first, n_new);
    run_lockstep({Phase::kPrefill, options.batch_size, n_new, cache.n_tokens(lockstep.front()) + n_new}, which);
  };
  for (int first = 0; first < q_len - 1; first += step_tokens)
    pass(first, std::min(step_tokens, q_len - 1 - first), PromptPass::kShortcut);
  pass(q_len - 1, 1, PromptPass::kWhole);
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

void Engine::time_operations(OpTimes times) {
  state_->runner->time_operations(times);
}

std::span<const float> Engine::prefill(std::span<const std::int32_t> token_ids, LogitsFor logits) {
  state_->take_lockstep();
  state_->require_ids(token_ids);
  const int batch_size = state_->options.batch_size;
  const int q_len = static_cast<int>(token_ids.size()) / batch_size;
  state_->require_logits(logits, q_len);
  const int step_tokens = largest_step_tokens(state_->options);
  if (state_->options.what_if.swiftkv_from > 0) {
    state_->prefill_by_shortcut(token_ids, q_len);
    return state_->logits(static_cast<std::size_t>(batch_size));
  }
  for (int first = 0; first < q_len; first += step_tokens) {
    const int n_new = std::min(step_tokens, q_len - first);
    state_->enter_lockstep(token_ids, first, n_new);
    state_->run_lockstep({Phase::kPrefill, batch_size, n_new, position() + n_new, logits});
  }
  const int n_rows = logits == LogitsFor::kLastToken ? batch_size : batch_size * q_len;
  return state_->logits(static_cast<std::size_t>(n_rows));
}

std::span<const float> Engine::decode(std::span<const std::int32_t> token_ids) {
  state_->take_lockstep();
  state_->require_ids(token_ids);
  const int batch_size = state_->options.batch_size;
  if (token_ids.size() != static_cast<std::size_t>(batch_size))
    throw Error(ErrorKind::kUsage, "token ids",
                fmt::format("{} ids are not one for each of {} sequences.", token_ids.size(), batch_size));
  state_->enter_lockstep(token_ids, 0, 1);
  state_->run_lockstep({Phase::kDecode, batch_size, 1, position() + 1});
  return state_->logits(static_cast<std::size_t>(batch_size));
}

std::span<const std::int32_t> Engine::next_ids() const {
  return state_->runner->next_ids().first(static_cast<std::size_t>(state_->options.batch_size));
}

int Engine::position() const {
  return state_->lockstep.empty() ? 0 : state_->cache.n_tokens(state_->lockstep.front());
}

void Engine::truncate(int n_tokens) {
  if (n_tokens < 0 || n_tokens > position())
    throw Error(ErrorKind::kUsage, "KV cache",
                fmt::format("It holds {} tokens and cannot be cut to {}.", position(), n_tokens));
  for (const SequenceId id : state_->lockstep) state_->cache.truncate(id, n_tokens);
}

// -------- sequences that come and go

SequenceId Engine::add_sequence(int expected_tokens) {
  return state_->cache.add(expected_tokens);
}

SequenceId Engine::fork_sequence(SequenceId parent) {
  return state_->cache.fork(parent);
}

void Engine::remove_sequence(SequenceId id) {
  state_->cache.remove(id);
  std::erase(state_->lockstep, id);
}

int Engine::adopt_prefix(SequenceId id, std::span<const std::int32_t> prompt) {
  return state_->cache.adopt_prefix(id, prompt.first(prompt.empty() ? 0 : prompt.size() - 1));
}

int Engine::sequence_tokens(SequenceId id) const {
  return state_->cache.n_tokens(id);
}

StepOutcome Engine::step(std::span<const SequenceStep> entries) {
  state_->require_entries(entries);
  if (const int n_missing = state_->begin(entries); n_missing > 0)
    return {.n_missing_blocks = n_missing, .logits = {}, .next_ids = {}};
  const auto is_prefill = [](const SequenceLengths& lengths) { return lengths.q_len > 1; };
  const Phase phase = std::ranges::any_of(state_->lengths, is_prefill) ? Phase::kPrefill : Phase::kDecode;
  state_->run(state_->ragged(phase));
  return {.n_missing_blocks = 0,
          .logits = state_->logits(entries.size()),
          .next_ids = state_->runner->next_ids().first(entries.size())};
}

int Engine::missing_blocks(std::span<const SequenceStep> entries, int n_new_tokens) const {
  return state_->cache.missing_blocks(entries, n_new_tokens);
}

BlockStatistics Engine::kv_statistics() const {
  return state_->cache.statistics();
}

BlockMap Engine::kv_block_map() const {
  return state_->cache.block_map();
}

double Engine::kv_block_bytes() const {
  return state_->cache.block_bytes();
}

std::optional<KvTraffic> Engine::kv_traffic() {
  return state_->cache.traffic();
}

std::string Engine::kv_tier_description() const {
  return state_->cache.tier_description();
}

EngineMemory Engine::memory() const {
  const RunnerMemory memory = state_->runner->memory();
  return {state_->cache.bytes(), memory.activation_bytes, memory.workspace_bytes};
}

}  // namespace dachlast
