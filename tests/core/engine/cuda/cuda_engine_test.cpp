// Runs the engine's CUDA part from end to end on the emulated GPU and holds it against the CPU: the same model, the same tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/base/error.h"
#include "core/engine/batch_runner.h"
#include "core/model/model_source.h"
#include "tests/core/engine/cuda/emulated_engine.h"
#include "tests/core/engine/stories_model.h"
#include "tests/emulation/gemm.h"
#include "tests/emulation/queues.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

// Both sides compute in float and order their sums differently: a few roundings of logits of order 1 a layer.
constexpr double kFloatTolerance = 2e-5;

EngineOptions options_with(const std::string& kv, int capacity = 48) {
  EngineOptions options = options_for(capacity);
  options.kv = parse_kv_spec("--kv", kv);
  options.precision.kv.format = options.kv.format.value_or(KvFormat::kF32);
  return options;
}

/// The same, and what the engines say of themselves behind it.
double checked_distance(EnginePair& pair, int n_prompt, int n_steps) {
  const double most = distance_on_the_way(pair, n_prompt, n_steps);
  EXPECT_EQ(pair.gpu.engine.next_ids()[0], pair.cpu.engine.next_ids()[0]);
  EXPECT_EQ(pair.gpu.engine.position(), n_prompt + n_steps);
  return most;
}

double largest_logit(TinyEngine& tiny) {
  double largest = 0.0;
  for (const float logit : tiny.engine.prefill(some_ids(5, tiny.spec.vocab_size)))
    largest = std::max(largest, std::abs(static_cast<double>(logit)));
  tiny.engine.reset();
  return largest;
}

// -------- caches

class CudaCaches : public testing::TestWithParam<const char*> {};

/// In float on both sides, so that only what is stored is rounded, to the same bits.
TEST_P(CudaCaches, PrefillAndDecodeGiveTheLogitsOfTheCpu) {
  EngineOptions options = options_with(GetParam());
  EngineOptions cpu_options = options, gpu_options = on_device(options);
  cpu_options.attention_variant = "tiled";
  gpu_options.attention_variant = "stream";
  EnginePair pair(tiny_model(), cpu_options, gpu_options);
  EXPECT_LT(checked_distance(pair, 13, 6), kFloatTolerance);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CudaCaches,
                         testing::Values("contiguous", "paged:4", "bf16", "paged:4,f16", "int8", "paged:4,int8", "fp8",
                                         "paged:16,fp8", "int4", "paged:4,int4", "paged:4,int8:channel",
                                         "paged:8,fp8:channel", "paged:4,int4:channel", "offload:host:8",
                                         "offload:host:4,int8:channel", "offload:host:4,int8", "offload:file:4",
                                         "offload:file:8,int8", "recompute:9", "window:8", "sink:2+8"),
                         [](const auto& kv) {
                           std::string name = kv.param;
                           for (char& c : name)
                             if (c == ':' || c == ',' || c == '+') c = '_';
                           return name;
                         });

/// Steps of 4 tokens leave rings of 8 to 10 slots, which 33 tokens go round three times.
TEST(CudaRings, GoRoundAndGiveTheLogitsOfTheCpu) {
  const auto pair_of = [](const char* kv, const char* on_cpu, const char* on_gpu) {
    EngineOptions options = options_with(kv);
    options.max_step_tokens = 4;
    EngineOptions cpu_options = options, gpu_options = on_device(options);
    cpu_options.attention_variant = on_cpu;
    gpu_options.attention_variant = on_gpu;
    return EnginePair(tiny_model(), cpu_options, gpu_options);
  };
  for (const char* kv : {"window:5", "sink:2+5", "window:5,int8", "sink:1+6,f16"})
    for (const char* variant : {"stream", "naive"}) {
      EnginePair pair = pair_of(kv, "tiled", variant);
      EXPECT_LT(checked_distance(pair, 13, 20), kFloatTolerance) << kv << ' ' << variant;
    }
  EnginePair rounded = pair_of("sink:2+5,bf16", "", "tensor");
  EXPECT_LT(checked_distance(rounded, 13, 20), 8.0 * 0x1p-9);  // as below
}

TEST(CudaRings, DifferFromACacheThatKeepsAll) {
  EngineOptions ring = on_device(options_with("window:5"));
  ring.max_step_tokens = 4;
  EnginePair pair(tiny_model(), options_with("contiguous"), ring);
  const Ids ids = some_ids(13, pair.spec.vocab_size);
  EXPECT_GT(distance(pair.cpu.engine.prefill(ids), pair.gpu.engine.prefill(ids)), 1e-2);
}

/// 2 layers, 3 heads of 10 + 6. A latent wider than a head's keys and values together, as DeepSeek's, is rebuilt by the CPU.
ModelSpec latent_model(int q_lora_rank, int kv_lora_rank) {
  ModelSpec model = tiny_model();
  MlaSpec latent;
  latent.n_heads = 3;
  latent.q_lora_rank = q_lora_rank;
  latent.kv_lora_rank = kv_lora_rank;
  latent.qk_nope_head_dim = 10;
  latent.qk_rope_head_dim = 6;
  latent.v_head_dim = 7;
  latent.scale = 0.25;
  latent.rope = {.theta = 10000.0, .rotary_dim = 6, .scaling = {}, .pairs = RopePairs::kNeighbours};
  for (LayerSpec& layer : model.layers) layer.mixer = latent;
  return model;
}

double latent_distance(const ModelSpec& model, const char* kv) {
  EngineOptions options = on_device(options_with(kv));
  options.attention_variant = "naive";  // in float, as the CPU
  EnginePair pair(model, options_with(kv), options);
  return checked_distance(pair, 11, 4);
}

TEST(CudaLatents, GiveTheLogitsOfTheCpu) {
  for (const char* kv : {"contiguous", "paged:4", "offload:host:8", "recompute:9", "sink:2+8"})
    EXPECT_LT(latent_distance(latent_model(20, 45), kv), kFloatTolerance) << kv;
  EXPECT_LT(latent_distance(latent_model(0, 45), "paged:4"), kFloatTolerance);
}

/// Logits behind two texts of different lengths in one step: the CPU leaves their attention absorbed, as the GPU does.
std::vector<float> logits_of_two(Engine& engine, std::span<const std::int32_t> ids) {
  const std::vector<SequenceStep> texts{{engine.add_sequence(), ids.first(4)}, {engine.add_sequence(), ids.subspan(4)}};
  std::vector<float> logits = copy_of(engine.step(texts).logits);
  for (const SequenceStep& text : texts) engine.remove_sequence(text.sequence);
  return logits;
}

/// Over caches in less than floats: CPU and GPU in the same form, and the CPU's two forms; for several texts, sorted.
struct LatentDistances {
  std::vector<double> between_devices;
  std::vector<double> between_forms;
};

LatentDistances latent_distances(const std::string& kv) {
  EngineOptions options = options_with(kv);
  options.batch_size = 2;
  EngineOptions gpu_options = on_device(options);
  options.attention_variant = "tiled", gpu_options.attention_variant = "naive";  // both in float
  EnginePair pair(latent_model(20, 45), options, gpu_options);
  TinyEngine lockstep(latent_model(20, 45), options);  // texts of one length: rebuilt
  LatentDistances found;
  for (int seed = 1; seed <= 9; ++seed) {
    const Ids ids = some_ids(15, pair.spec.vocab_size, seed);
    const std::vector<float> absorbed = logits_of_two(pair.cpu.engine, ids);
    found.between_devices.push_back(distance(absorbed, logits_of_two(pair.gpu.engine, ids)));
    lockstep.engine.reset();
    Ids twice(ids.begin() + 4, ids.end());
    twice.insert(twice.end(), ids.begin() + 4, ids.end());
    const std::span<const float> rebuilt = lockstep.engine.prefill(twice);
    found.between_forms.push_back(distance(std::span(absorbed).last(61), rebuilt.last(61)));
  }
  std::ranges::sort(found.between_devices);
  std::ranges::sort(found.between_forms);
  return found;
}

/// The CPU rebuilds K and V of a prompt in bfloat16 behind such caches, 2^-9 of each away from the absorbed form, which
/// is all that a GPU has. In the same form both give the same logits.
TEST(CudaLatents, OverQuantizedCachesDifferByTheFormAlone) {
  for (const char* kv : {"paged:4,int8", "paged:4,fp8", "paged:4,int4"}) {
    const LatentDistances found = latent_distances(kv);
    // A number that lies between two codes may tip over with the last bit of a sum; not in most texts.
    EXPECT_LT(found.between_devices[found.between_devices.size() / 2], kFloatTolerance) << kv;
    EXPECT_GT(found.between_forms.front(), 50.0 * kFloatTolerance) << kv;
  }
}

TEST(CudaLatents, OnTensorCoresStayNearTheCpu) {
  EnginePair pair(latent_model(20, 45), options_with("paged:4,bf16"), on_device(options_with("paged:4,bf16")));
  EXPECT_LT(checked_distance(pair, 13, 4), 8.0 * 0x1p-9);  // as below
}

TEST(CudaEngine, ChosenKernelsStayNearTheCpu) {
  // bf16 rounds what the kernels multiply to 2^-9 of itself: over two layers logits of order 1 move by a few of that.
  for (const char* kv : {"paged:4,bf16", "f16"}) {
    EnginePair pair(tiny_model(), options_with(kv), on_device(options_with(kv)));
    EXPECT_LT(checked_distance(pair, 13, 4), 8.0 * 0x1p-9) << kv;
  }
}

TEST(CudaEngine, EveryAttentionKernelServes) {
  for (const char* variant : {"tensor", "stream", "naive"}) {
    EngineOptions options = on_device(options_with("paged:4,bf16"));
    options.attention_variant = variant;
    EnginePair pair(tiny_model(), options_with("paged:4,bf16"), options);
    EXPECT_LT(checked_distance(pair, 9, 3), 8.0 * 0x1p-9) << variant;
  }
}

ModelSpec model_with_heads_of(int head_dim) {
  ModelSpec model = tiny_model();
  for (LayerSpec& layer : model.layers) {
    AttentionSpec& attention = attention_of(layer);
    attention.head_dim = head_dim;
    attention.scale = 1.0 / std::sqrt(head_dim);
    attention.rope->rotary_dim = head_dim;
  }
  return model;
}

/// Logits of a prompt and a token behind it, with a kernel of that name; empty: the engine's own choice.
std::vector<float> logits_with(const ModelSpec& model, const std::string& variant) {
  EngineOptions options = on_device(options_with("paged:4,bf16"));
  options.attention_variant = variant;
  TinyEngine tiny(model, options);
  const Ids ids = some_ids(14, model.vocab_size);
  std::vector<float> logits = copy_of(tiny.engine.prefill(std::span(ids).first(13)));
  const std::vector<float> next = copy_of(tiny.engine.decode(std::span(ids).last(1)));
  logits.insert(logits.end(), next.begin(), next.end());
  return logits;
}

/// Heads that tensor cores do not take go to "stream", and what that does not take to "naive".
TEST(CudaEngine, WideHeadsFallBackToTheKernelsNamedForThem) {
  for (const auto& [head_dim, fallback] :
       {std::pair(160, "stream"), std::pair(256, "stream"), std::pair(272, "naive")}) {
    SCOPED_TRACE(head_dim);
    const ModelSpec model = model_with_heads_of(head_dim);
    EXPECT_EQ(logits_with(model, ""), logits_with(model, fallback));  // to the bit: the same kernel
    EXPECT_THROW(logits_with(model, "tensor"), Error);
    EngineOptions on_cpu = options_with("paged:4,bf16");
    on_cpu.attention_variant = "tiled";
    EnginePair pair(model, on_cpu, on_device(options_with("paged:4,bf16")));
    // Sums that differ in their last bit may round to another bf16 in the cache, an element in a thousand or so.
    EXPECT_LT(checked_distance(pair, 13, 3), 0x1p-9);
  }
  EXPECT_THROW(logits_with(model_with_heads_of(272), "stream"), Error);
  const ModelSpec narrow = model_with_heads_of(128);
  EXPECT_NE(logits_with(narrow, ""), logits_with(narrow, "stream"));  // its prompt is rounded on tensor cores
}

/// A step that an error cuts short has queued work: its memory outlives that work, and the device goes on.
TEST(CudaEngine, AfterARefusedStepTheDeviceGoesOn) {
  const ModelSpec model = model_with_heads_of(160);
  const std::vector<float> before = logits_with(model, "");
  for (int i = 0; i < 3; ++i) EXPECT_THROW(logits_with(model, "tensor"), Error);
  EXPECT_EQ(logits_with(model, ""), before);
}

TEST(CudaEngine, ALongCacheIsCutAndMerged) {
  // Beyond 512 tokens "stream" cuts the cache in two.
  ModelSpec model = tiny_model();
  model.max_context = 700;
  model.d_model = 10;  // one head of one layer: attention over a long prompt takes its time here
  model.layers.resize(1);
  attention_of(model.layers[0]).n_heads = 1;
  const EngineOptions options = options_with("paged:16", 600);
  EnginePair pair(model, options, on_device(options));
  EXPECT_LT(checked_distance(pair, 540, 3), kFloatTolerance);
}

TEST(CudaEngine, ForkingCopiesTheBlockThatIsShared) {
  EngineOptions options = options_with("paged:4");
  options.batch_size = 2;
  EnginePair pair(tiny_model(), options, on_device(options));
  const Ids ids = some_ids(12, 61);
  const auto logits_of_fork = [&](Engine& engine) {
    const SequenceId parent = engine.add_sequence();
    engine.step(std::vector<SequenceStep>{{parent, std::span(ids).first(6)}});  // one block and a half
    const SequenceId child = engine.fork_sequence(parent);
    engine.step(std::vector<SequenceStep>{{parent, std::span(ids).subspan(6, 1)}});
    return copy_of(engine.step(std::vector<SequenceStep>{{child, std::span(ids).subspan(7, 1)}}).logits);
  };
  EXPECT_LT(distance(logits_of_fork(pair.gpu.engine), logits_of_fork(pair.cpu.engine)), kFloatTolerance);
}

/// What waits for scales along channels is copied with the sequence it belongs to, and filled up by both.
TEST(CudaEngine, ForkingCopiesTheKeysThatWait) {
  EngineOptions options = options_with("paged:8,int8:channel");
  options.batch_size = 3;
  EngineOptions gpu_options = on_device(options);
  options.attention_variant = "tiled", gpu_options.attention_variant = "stream";
  EnginePair pair(tiny_model(), options, gpu_options);
  const Ids ids = some_ids(24, 61);
  const auto logits_of_both = [&](Engine& engine) {
    const SequenceId other = engine.add_sequence(), parent = engine.add_sequence();
    engine.step(std::vector<SequenceStep>{{other, std::span(ids).first(3)}, {parent, std::span(ids).first(13)}});
    const SequenceId child = engine.fork_sequence(parent);
    engine.remove_sequence(other);
    engine.step(std::vector<SequenceStep>{{parent, std::span(ids).subspan(13, 5)}});
    return copy_of(
        engine.step(std::vector<SequenceStep>{{child, std::span(ids).subspan(7, 6)}, {parent, std::span(ids).last(2)}})
            .logits);
  };
  EXPECT_LT(distance(logits_of_both(pair.gpu.engine), logits_of_both(pair.cpu.engine)), kFloatTolerance);
}

TEST(CudaEngine, TruncatingAndGoingOnEqualsNeverHavingWritten) {
  EnginePair pair(tiny_model(), options_with("paged:4"), on_device(options_with("paged:4")));
  const Ids ids = some_ids(20, 61);
  Engine& engine = pair.gpu.engine;
  engine.prefill(std::span(ids).first(11));
  const auto expected = copy_of(engine.decode({&ids[11], 1}));
  for (int again = 0; again < 3; ++again) {  // the last ones as a graph
    engine.truncate(11);
    engine.decode({&ids[3], 1});
    engine.truncate(11);
    EXPECT_EQ(distance(engine.decode({&ids[11], 1}), expected), 0.0) << again;
  }
}

// -------- weights

TEST(CudaEngine, WeightsOfEveryKind) {
  // The CPU rounds activations to bf16 or, for quantized weights, to 8 bits before it multiplies, the GPU to bf16 or not at
  // all: rows of a few dozen terms, each off by up to 1/254 of the largest, through two layers.
  const std::pair<WeightStorage, double> kinds[] = {{DType::kF32, 1e-5},
                                                    {DType::kBF16, 0.02},
                                                    {WeightStorage(DType::kBF16, WeightLayout::kPanels), 0.02},
                                                    {kInt8Rows, 0.05},
                                                    {weight_type_from_name("int4:32").value(), 0.05}};
  for (const auto& [storage, share] : kinds) {
    EngineOptions options = options_with("f32");
    options.precision.weights = storage.type;
    options.weight_layout = storage.layout;
    EnginePair pair(tiny_model(), options, on_device(options));
    const double allowed = share * largest_logit(pair.cpu);
    EXPECT_LT(checked_distance(pair, 13, 3), allowed) << name_of(storage.type);
  }
}

TEST(CudaEngine, PanelsAreReadAsTheyAreForFewRowsAndWrittenOutForMany) {
  EngineOptions options = options_with("f32");
  options.precision.weights = kInt8Rows;
  TinyEngine tiny(tiny_model(), on_device(options));
  const Ids ids = some_ids(20, 61);
  const int before = emulation::n_products();
  tiny.engine.prefill(std::span(ids).first(8));
  EXPECT_EQ(emulation::n_products(), before);
  tiny.engine.prefill(std::span(ids).subspan(8, 9));
  // Four projections a layer; the head has one row a sequence.
  EXPECT_EQ(emulation::n_products(), before + 2 * 4);
}

TEST(CudaEngine, WeightsAreUploadedOnceWhileSomebodyHoldsThem) {
  const ModelSpec model = tiny_model();
  EngineOptions options = on_device(options_for(16));
  const auto weights = random_weights(model, 7, options.weight_storage());
  const Engine first(model, *weights, options);
  const double once = options.device->use().weight_bytes;
  EXPECT_EQ(once, weight_bytes(model, options.weight_storage()));
  const Engine second(model, *weights, options);
  EXPECT_EQ(options.device->use().weight_bytes, once);
}

// -------- models

/// Every architecture that the CUDA engine runs: norms, biases, windows, caps, learned positions, parallel blocks.
TEST(CudaEngine, EveryArchitectureGivesTheLogitsOfTheCpu) {
  const std::filesystem::path cases = std::filesystem::path(DACHLAST_TEST_DATA_DIR) / "architectures";
  int n_cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(cases)) {
    if (!std::filesystem::exists(entry.path() / "config.json")) continue;
    std::vector<ConfigWarning> warnings;
    const ModelSpec model = read_model_spec(entry.path() / "config.json", warnings);
    const auto is_plain = [](const LayerSpec& layer) { return std::holds_alternative<AttentionSpec>(layer.mixer); };
    if (missing_kernels(model) || !std::ranges::all_of(model.layers, is_plain)) continue;
    const EngineOptions options = options_for(24);
    EnginePair pair(model, options, on_device(options));
    EXPECT_LT(checked_distance(pair, 19, 3), 1e-4 * (1.0 + largest_logit(pair.cpu))) << entry.path().filename();
    ++n_cases;
  }
  EXPECT_GE(n_cases, 8);
}

TEST(CudaEngine, LogitsOfAllTokens) {
  EngineOptions options = options_with("paged:4");
  options.logits = LogitsFor::kAllTokens;
  options.batch_size = 2;
  EnginePair pair(tiny_model(), options, on_device(options));
  const Ids ids = some_ids(2 * 9, 61);
  EXPECT_LT(distance(pair.gpu.engine.prefill(ids, LogitsFor::kAllTokens),
                     pair.cpu.engine.prefill(ids, LogitsFor::kAllTokens)),
            kFloatTolerance);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(pair.gpu.engine.next_ids()[i], pair.cpu.engine.next_ids()[i]);
}

TEST(CudaEngine, LogitsStayWhereTheyAreIfNobodyAsks) {
  EngineOptions options = on_device(options_for(16));
  options.host_logits = HostLogits::kNever;
  TinyEngine gpu(tiny_model(), options), cpu(tiny_model(), options_for(16));
  const Ids ids = some_ids(9, 61);
  EXPECT_TRUE(gpu.engine.prefill(ids).empty());
  cpu.engine.prefill(ids);
  EXPECT_EQ(gpu.engine.next_ids()[0], cpu.engine.next_ids()[0]);
}

TEST(CudaEngine, TheBundledModelWritesTheGoldenStory) {
  const StoriesModel model = open_stories(DType::kF32);
  const std::pair<const char*, std::size_t> cases[] = {{"contiguous", 1}, {"paged:16", 3}};
  for (const auto& [kv, i] : cases) {
    EngineOptions options = stories_options(DType::kF32, KvFormat::kF32);
    options.kv = parse_kv_spec("--kv", kv);
    Engine engine(model.spec, *model.weights, on_device(options));
    const GoldenRun run = golden_runs()[i];
    const Ids expected(run.greedy_ids.begin(), run.greedy_ids.begin() + 24);
    EXPECT_EQ(generate(engine, run.prompt_ids, expected.size()), expected) << kv;
  }
}

// -------- several sequences

TEST(CudaEngine, ServesRequestsAsTheCpuDoes) {
  EngineOptions options = options_with("paged:4");
  options.batch_size = 3;
  options.kv_blocks = 10;  // fewer than three full sequences need: some lose theirs and begin anew
  options.sharing = PrefixSharing::kOn;
  options.max_step_tokens = 6;
  const Ids shared = some_ids(8, 61, 9);
  std::vector<BatchRequest> requests;
  for (int i = 0; i < 5; ++i) {
    BatchRequest request{shared, 5 + i};
    const Ids own = some_ids(3 + 2 * i, 61, i);
    request.prompt.insert(request.prompt.end(), own.begin(), own.end());
    requests.push_back(request);
  }
  EnginePair pair(tiny_model(), options, on_device(options));
  const BatchResult gpu = BatchRunner(pair.gpu.engine).run(requests), cpu = BatchRunner(pair.cpu.engine).run(requests);
  int n_preempted = 0, n_hits = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(gpu.answers[i].generated_ids, cpu.answers[i].generated_ids) << i;
    EXPECT_EQ(gpu.answers[i].n_preempted, cpu.answers[i].n_preempted) << i;
    n_preempted += gpu.answers[i].n_preempted;
    n_hits += gpu.answers[i].n_hit_tokens;
  }
  EXPECT_GT(n_preempted, 0);
  EXPECT_GT(n_hits, 0);
}

}  // namespace
}  // namespace dachlast
