// The CUDA kernels that decide a step against roofs measured in the same run: prefill attention against the peak of dense bf16
// products, decode attention and weight-only GEMV against the bandwidth of reading memory, and what a decode step takes on the
// host beside its time on the GPU. Called by scripts/gpu-check.sh; with --tiny everything is so small that the emulation can run
// it, which says that it runs and nothing about time.
#include "tests/bench/gpu_bench.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/engine/cuda/cuda_device.h"
#include "core/engine/cuda/roof_probes.h"
#include "core/engine/engine.h"
#include "core/model/weights.h"
#include "kernels/cuda/attention.h"
#include "kernels/cuda/weight_gemv.h"
#include "kernels/linear.h"
#include "tests/bench/gpu_table.h"

namespace dachlast::bench {
namespace {

using kernels::KvFormat;
using kernels::cuda::DeviceBlock;
using kernels::cuda::DeviceEvent;
using kernels::cuda::DeviceSegment;
using kernels::cuda::EventUse;

/// Sizes of Llama 3.1 8B, or such that a host can compute them.
struct Sizes {
  DeviceProbes probes;
  int n_heads, n_kv_heads, head_dim;
  int prefill_tokens;
  int decode_tokens, decode_batch;
  int gemv_rows, gemv_columns;
  double rotation_bytes;  // of weights that calls go through in turn, so that no cache keeps them
  int n_layers, d_ff, vocab_size, step_context;
  int n_repeats;
};
constexpr Sizes kFull{{}, 32, 8, 128, 8192, 8192, 32, 28672, 4096, 512e6, 16, 14336, 32000, 4096, 30};
constexpr Sizes kTiny{{4096, 32, 2}, 4, 2, 16, 24, 40, 2, 64, 64, 1e4, 1, 32, 64, 8, 2};

class Bench {
 public:
  explicit Bench(const Sizes& sizes)
      : sizes_(sizes), context_(0, make_gemm()), roofs_(probe_roofs(context_, sizes.probes)) {}

  int run();

 private:
  DeviceBlock take(std::size_t bytes) {
    DeviceBlock block = context_.pool.allocate(bytes, DeviceSegment::kWorkspace, context_.steps.stream());
    kernels::cuda::zero(block.bytes(), context_.steps.stream());
    return block;
  }
  template <class T>
  DeviceBlock copied(const std::vector<T>& values) {
    DeviceBlock block = take(values.size() * sizeof(T));
    kernels::cuda::copy(block.bytes().data(), values.data(), values.size() * sizeof(T), context_.steps.stream());
    context_.steps.finish();
    return block;
  }
  double median_seconds(const std::function<void(int)>& queue);
  void attention(const char* name, KvFormat format, int q_len, int kv_len, int batch_size, double target);
  void gemv(const char* name, WeightType type);
  void step_overhead();
  double read_bandwidth() const { return roofs_.bandwidths[0].bytes_per_s.max; }
  double bf16_peak() const { return roofs_.computes[0].ops_per_s.max; }

  const Sizes& sizes_;
  CudaContext context_;
  DeviceRoofs roofs_;
  std::vector<GpuRow> rows_;
};

/// Of one call; the first three warm up.
double Bench::median_seconds(const std::function<void(int)>& queue) {
  const DeviceEvent begin(EventUse::kTiming), end(EventUse::kTiming);
  std::vector<double> times;
  for (int i = 0; i < sizes_.n_repeats + 3; ++i) {
    begin.record(context_.steps.stream());
    queue(i);
    end.record(context_.steps.stream());
    context_.steps.finish();
    if (i >= 3) times.push_back(end.since(begin).value);
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void Bench::attention(const char* name, KvFormat format, int q_len, int kv_len, int batch_size, double target) {
  constexpr int kBlockSize = 16;
  const int blocks_each = (kv_len + kBlockSize - 1) / kBlockSize, n_blocks = blocks_each * batch_size;
  const kernels::KvLayout layout{.format = format,
                                 .n_kv_heads = sizes_.n_kv_heads,
                                 .block_size = kBlockSize,
                                 .head_dim = sizes_.head_dim,
                                 .value_dim = sizes_.head_dim};
  const auto n = static_cast<std::size_t>(n_blocks * layout.n_kv_heads);
  const DeviceBlock k = take(n * head_key_bytes(layout)), v = take(n * head_value_bytes(layout));
  const DeviceBlock k_scales = take(n * head_key_scales(layout) * 4),
                    v_scales = take(n * head_value_scales(layout) * 4);
  // Blocks in an order that has nothing to do with the text's, as a cache in use has them: 7919 is prime.
  std::vector<std::int32_t> blocks(static_cast<std::size_t>(n_blocks));
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::int32_t>(i * 7919 % blocks.size());
  std::vector<kernels::cuda::CudaSequence> sequences;
  for (int i = 0; i < batch_size; ++i) sequences.push_back({i * blocks_each, kv_len, q_len, kv_len - q_len, i * q_len});
  const DeviceBlock table = copied(blocks), list = copied(sequences);
  const auto width =
      static_cast<std::size_t>(batch_size * q_len) * static_cast<std::size_t>(sizes_.n_heads * sizes_.head_dim);
  const DeviceBlock q = take(width * 4), out = take(width * 4);
  const kernels::cuda::CudaAttentionCall call{
      .n_heads = sizes_.n_heads,
      .rule = {0.088f, 0.0f},
      .mask = {},
      .q = elements_of<float>(q),
      .q_stride = sizes_.n_heads * sizes_.head_dim,
      .pool = {layout, k.bytes(), v.bytes(), elements_of<kernels::ScaleWord>(k_scales),
               elements_of<kernels::ScaleWord>(v_scales)},
      .sequences = elements_of<kernels::cuda::CudaSequence>(list),
      .blocks = elements_of<std::int32_t>(table),
      .longest_q_len = q_len,
      .longest_kv_len = kernels::cuda::padded_kv_len(kv_len),
      .out = elements_of<float>(out)};
  const auto& variant = kernels::cuda::attention_variant_for(call);
  const DeviceBlock workspace = take(variant.workspace_floats(call) * sizeof(float) + 16);
  const double time =
      median_seconds([&](int) { variant.run(call, elements_of<float>(workspace), context_.steps.stream()); });
  const AttentionShape shape{batch_size,        q_len,           kv_len, sizes_.n_heads,
                             sizes_.n_kv_heads, sizes_.head_dim, 0,      {format}};
  const OpCost cost = kernels::attention_cost(shape);
  const std::string title = fmt::format("{} ({})", name, variant.name);
  if (q_len > 1)
    rows_.push_back({title, fmt::format("{:7.1f} TFLOP/s", cost.flops.value / time / 1e12),
                     cost.flops.value / time / bf16_peak(), target});
  else
    rows_.push_back({title, fmt::format("{:7.1f} GB/s", cost.bytes().value / time / 1e9),
                     cost.bytes().value / time / read_bandwidth(), target});
}

void Bench::gemv(const char* name, WeightType type) {
  const PanelLayout panel(type, sizes_.gemv_columns);
  const int n_panels = sizes_.gemv_rows / kPanelRows;
  const std::size_t matrix = static_cast<std::size_t>(n_panels) * panel.panel_bytes();
  const std::size_t n_copies = std::max<std::size_t>(1, static_cast<std::size_t>(sizes_.rotation_bytes) / matrix);
  const DeviceBlock weights = take(n_copies * matrix);
  const DeviceBlock x = take(static_cast<std::size_t>(sizes_.gemv_columns) * 4);
  const DeviceBlock y = take(static_cast<std::size_t>(sizes_.gemv_rows) * 4);
  const LinearShape shape{1, sizes_.gemv_rows, sizes_.gemv_columns, type};
  const double time = median_seconds([&](int i) {
    const auto copy = static_cast<std::size_t>(i) % n_copies;
    kernels::cuda::weight_gemv(shape, elements_of<float>(x),
                               {type, shape.n, shape.k, weights.bytes().subspan(copy * matrix, matrix)}, {},
                               elements_of<float>(y), context_.steps.stream());
  });
  const double bytes = kernels::linear_cost(shape).bytes().value;
  rows_.push_back({name, fmt::format("{:7.1f} GB/s", bytes / time / 1e9), bytes / time / read_bandwidth(), 0.85});
}

/// Share of a decode step's time on the host's clock that the GPU is not in it.
void Bench::step_overhead() {
  ModelSpec model;
  model.name = "half of Llama 3.1 8B's layers";
  model.d_model = sizes_.n_heads * sizes_.head_dim;
  model.vocab_size = sizes_.vocab_size;
  model.max_context = sizes_.step_context + 1;
  model.tied_embeddings = true;
  AttentionSpec attention{.n_heads = sizes_.n_heads, .n_kv_heads = sizes_.n_kv_heads, .head_dim = sizes_.head_dim};
  attention.scale = 0.088;
  attention.rope = RopeSpec{.theta = 500000.0, .rotary_dim = sizes_.head_dim, .scaling = {}};
  model.layers.assign(static_cast<std::size_t>(sizes_.n_layers), LayerSpec{attention, MlpSpec{.d_ff = sizes_.d_ff}});

  EngineOptions options;
  options.precision = {DType::kBF16, {KvFormat::kBF16}};
  options.capacity_tokens = sizes_.step_context + 1;
  options.max_step_tokens = std::min(sizes_.step_context, 2048);
  options.kv.layout = KvPolicy::kPaged;
  options.kv.block_size = 16;
  options.host_logits = HostLogits::kNever;
  options.device = make_cuda_device(0, make_gemm());
  const auto weights = random_weights(model, 1, options.weight_storage());
  Engine engine(model, *weights, options);

  /// The step's own time.
  class Listener : public trace::SpanSink {
   public:
    void add(const trace::Span& span) override { on_gpu_s = static_cast<double>(span.duration_ns()) * 1e-9; }
    double on_gpu_s = 0.0;
  } listener;
  engine.set_sink(&listener);
  engine.prefill(std::vector<std::int32_t>(static_cast<std::size_t>(sizes_.step_context), 1));
  std::vector<double> overheads;
  for (int i = 0; i < sizes_.n_repeats + 3; ++i) {
    const std::int32_t token = 1;
    const auto start = std::chrono::steady_clock::now();
    engine.decode({&token, 1});
    const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    engine.truncate(sizes_.step_context);
    if (i >= 3) overheads.push_back(1.0 - listener.on_gpu_s / wall_s);  // replayed as a graph by now
  }
  std::ranges::sort(overheads);
  const double overhead = overheads[overheads.size() / 2];
  rows_.push_back({"decode step, overhead of the host", fmt::format("{:7.1f} %", 100.0 * overhead), overhead, -0.05});
}

int Bench::run() {
  attention("prefill attention, bf16, whole prompt", KvFormat::kBF16, sizes_.prefill_tokens, sizes_.prefill_tokens, 1,
            0.60);
  const std::pair<const char*, KvFormat> caches[] = {{"decode attention, bf16 cache", KvFormat::kBF16},
                                                     {"decode attention, fp8 cache", KvFormat::kFp8},
                                                     {"decode attention, int8 cache", KvFormat::kInt8},
                                                     {"decode attention, int4 cache", KvFormat::kInt4}};
  for (const auto& [name, format] : caches)
    attention(name, format, 1, sizes_.decode_tokens, sizes_.decode_batch, format == KvFormat::kBF16 ? 0.85 : 0.0);
  gemv("weight-only GEMV, bf16", DType::kBF16);
  gemv("weight-only GEMV, int8", kInt8Rows);
  gemv("weight-only GEMV, int4:128", weight_type_from_name("int4:128").value());
  step_overhead();

  fmt::print("{}\nroofs of this run: read {:.1f} GB/s, bf16 products {:.1f} TFLOP/s, f32 products {:.1f} TFLOP/s\n",
             context_.facts.name, read_bandwidth() / 1e9, bf16_peak() / 1e12, roofs_.computes[1].ops_per_s.max / 1e12);
  fmt::print("{}", gpu_table(rows_, context_.facts.name));
  return all_measured(rows_) ? 0 : 1;
}

}  // namespace
}  // namespace dachlast::bench

int main(int argc, char** argv) {
  const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
  try {
    return dachlast::bench::Bench(tiny ? dachlast::bench::kTiny : dachlast::bench::kFull).run();
  } catch (const dachlast::Error& error) {
    fmt::print(stderr, "gpu_bench: {}\n", error.what());
    return error.kind() == dachlast::ErrorKind::kDevice ? 5 : 1;
  }
}
