// What surrounds the engine's steps on a GPU: graphs, times, memory, tiers, and what it refuses.
#include <gtest/gtest.h>

#include <cerrno>

#include "core/base/error.h"
#include "core/engine/cuda/cuda_device.h"
#include "core/engine/point_runner.h"
#include "core/trace/op_sums.h"
#include "tests/core/engine/cuda/emulated_engine.h"
#include "tests/emulation/gemm.h"
#include "tests/emulation/queues.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

EngineOptions options_with(const char* kv, int capacity = 40) {
  EngineOptions options = options_for(capacity);
  options.kv = parse_kv_spec("--kv", kv);
  options.precision.kv.format = options.kv.format.value_or(KvFormat::kF32);
  return options;
}

/// Last logits after a prompt of 9 tokens and decode steps.
std::vector<float> logits_after(const EngineOptions& options, int n_steps) {
  TinyEngine tiny(tiny_model(), options);
  const Ids ids = some_ids(9 + n_steps, 61);
  std::vector<float> logits = copy_of(tiny.engine.prefill(std::span(ids).first(9)));
  for (std::size_t i = 9; i < ids.size(); ++i) logits = copy_of(tiny.engine.decode({&ids[i], 1}));
  return logits;
}

std::string reason_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

// -------- graphs

TEST(CudaGraphs, DecodeStepsThatComeAgainAreReplayed) {
  const int before = emulation::n_graph_launches();
  logits_after(on_device(options_with("paged:4")), 8);
  // Of eight decode steps the first is queued as it is, the second captured and launched, six are replayed.
  EXPECT_EQ(emulation::n_graph_launches() - before, 7);
}

TEST(CudaGraphs, StepsWhoseBlocksMoveAreQueuedEachTime) {
  const int before = emulation::n_graph_launches();
  logits_after(on_device(options_with("offload:host:4")), 4);
  EXPECT_EQ(emulation::n_graph_launches(), before);
}

TEST(CudaGraphs, AnotherNumberOfSequencesIsAnotherGraph) {
  EngineOptions options = options_with("paged:4");
  options.batch_size = 2;
  TinyEngine gpu(tiny_model(), on_device(options)), cpu(tiny_model(), options);
  const Ids ids = some_ids(30, 61);
  const auto last_of_both = [&](Engine& engine) {
    const SequenceId a = engine.add_sequence(), b = engine.add_sequence();
    engine.step(std::vector<SequenceStep>{{a, std::span(ids).first(3)}, {b, std::span(ids).first(5)}});
    std::vector<float> last;
    for (std::size_t i = 6; i < 12; ++i) {
      engine.step(std::vector<SequenceStep>{{a, std::span(ids).subspan(i, 1)}, {b, std::span(ids).subspan(2 * i, 1)}});
      last = copy_of(engine.step(std::vector<SequenceStep>{{b, std::span(ids).subspan(i + 1, 1)}}).logits);
    }
    return last;
  };
  EXPECT_LT(distance(last_of_both(gpu.engine), last_of_both(cpu.engine)), 2e-5);
}

// -------- times

class SpanList : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override { spans.push_back(span); }
  std::vector<trace::Span> spans;
};

TEST(CudaTimes, OperationsFollowEachOtherWithinTheirStep) {
  TinyEngine gpu(tiny_model(), on_device(options_with("paged:4"))), cpu(tiny_model(), options_with("paged:4"));
  const Ids ids = some_ids(20, 61);
  SpanList of_cpu;
  cpu.engine.prefill(std::span(ids).first(9));
  cpu.engine.set_sink(&of_cpu);
  cpu.engine.decode({&ids[9], 1});
  gpu.engine.time_operations(OpTimes::kEach);
  gpu.engine.prefill(std::span(ids).first(9));
  for (std::size_t i = 9; i < 13; ++i) {  // queued, captured, replayed
    SpanList of_gpu;
    gpu.engine.set_sink(&of_gpu);
    gpu.engine.decode({&ids[i], 1});
    ASSERT_EQ(of_gpu.spans.size(), of_cpu.spans.size());
    const trace::Span& step = of_gpu.spans.back();
    EXPECT_EQ(step.zone, trace::ZoneKind::kStep);
    std::int64_t before = step.start_ns;
    for (std::size_t k = 0; k + 1 < of_gpu.spans.size(); ++k) {
      EXPECT_EQ(of_gpu.spans[k].op, of_cpu.spans[k].op);
      EXPECT_GE(of_gpu.spans[k].start_ns, before);
      EXPECT_GT(of_gpu.spans[k].end_ns, of_gpu.spans[k].start_ns);
      before = of_gpu.spans[k].end_ns;
    }
    EXPECT_GE(step.end_ns, before);
  }
}

TEST(CudaTimes, StepsAloneAreTimedUnlessAskedForMore) {
  TinyEngine gpu(tiny_model(), on_device(options_with("paged:4")));
  SpanList list;
  gpu.engine.set_sink(&list);
  gpu.engine.prefill(some_ids(9, 61));
  ASSERT_EQ(list.spans.size(), 1u);
  EXPECT_EQ(list.spans[0].zone, trace::ZoneKind::kStep);
  EXPECT_GT(list.spans[0].cost.flops.value, 0.0);
}

// -------- memory

TEST(CudaMemory, IsWhatWasPlannedSegmentBySegment) {
  for (const char* kv :
       {"contiguous", "paged:4,int8", "offload:host:8", "offload:file:8", "recompute:9", "window:8", "sink:2+8"}) {
    EngineOptions options = on_device(options_with(kv));
    options.batch_size = 2;
    const EngineMemory planned = engine_memory(tiny_model(), options);
    const TinyEngine tiny(tiny_model(), options);
    const DeviceUse use = options.device->use();
    EXPECT_EQ(use.weight_bytes, weight_bytes(tiny_model(), options.weight_storage())) << kv;
    EXPECT_EQ(use.activation_bytes, planned.activation_bytes) << kv;
    EXPECT_EQ(use.workspace_bytes, planned.workspace_bytes) << kv;
    EXPECT_EQ(use.kv_cache_bytes, tiny.engine.memory().kv_cache_bytes) << kv;
    EXPECT_NEAR(use.kv_cache_bytes, planned.kv_cache_bytes, 2 * 256) << kv;  // slots begin at whole transactions
    EXPECT_EQ(tiny.engine.memory().workspace_bytes, planned.workspace_bytes) << kv;
    EXPECT_GE(use.peak_bytes, use.weight_bytes + use.kv_cache_bytes + use.activation_bytes + use.workspace_bytes);
  }
}

TEST(CudaMemory, GoesBackWithTheEngine) {
  const EngineOptions options = on_device(options_with("paged:4"));
  { const TinyEngine tiny(tiny_model(), options); }
  const DeviceUse use = options.device->use();
  EXPECT_EQ(use.weight_bytes + use.kv_cache_bytes + use.activation_bytes + use.workspace_bytes, 0.0);
}

TEST(CudaMemory, ADeviceThatIsTooSmallSaysWhatDidNotFit) {
  emulation::set_device_bytes(1 << 20);  // cuBLASLt's workspace alone is 32 MiB
  const std::string reason = reason_of([] { TinyEngine tiny(tiny_model(), on_device(options_with("paged:4"))); });
  emulation::set_device_bytes(std::size_t{1} << 30);
  EXPECT_NE(reason.find("workspace"), std::string::npos) << reason;
  EXPECT_NE(reason.find("do not fit the device"), std::string::npos) << reason;
}

// -------- tiers

TEST(CudaTiers, BlocksMoveAsOnTheCpu) {
  for (const char* kv : {"offload:host:8", "offload:file:8", "recompute:9"}) {
    TinyEngine gpu(tiny_model(), on_device(options_with(kv))), cpu(tiny_model(), options_with(kv));
    const Ids ids = some_ids(20, 61);
    for (Engine* engine : {&gpu.engine, &cpu.engine}) {
      engine->prefill(std::span(ids).first(17));
      engine->decode({&ids[17], 1});
      engine->decode({&ids[18], 1});
    }
    const KvTraffic on_gpu = gpu.engine.kv_traffic().value(), on_cpu = cpu.engine.kv_traffic().value();
    EXPECT_EQ(on_gpu.n_reads, on_cpu.n_reads) << kv;
    EXPECT_EQ(on_gpu.n_writes, on_cpu.n_writes) << kv;
    EXPECT_EQ(on_gpu.read_bytes, on_cpu.read_bytes) << kv;
    EXPECT_EQ(on_gpu.written_bytes, on_cpu.written_bytes) << kv;
    EXPECT_EQ(on_gpu.n_recomputed_tokens, on_cpu.n_recomputed_tokens) << kv;
    EXPECT_GT(on_gpu.read_s, 0.0);
    EXPECT_EQ(gpu.engine.kv_traffic(), on_gpu) << "counted twice";
    EXPECT_NE(gpu.engine.kv_tier_description().find("pinned memory"), std::string::npos);
  }
}

/// Four layers share two slots: each finds what another has left.
ModelSpec four_layers() {
  ModelSpec model = tiny_model();
  model.layers.resize(4, model.layers.back());
  return model;
}

std::vector<float> logits_of_three_steps(const EngineOptions& options) {
  TinyEngine tiny(four_layers(), options);
  const Ids ids = some_ids(11, 61);
  tiny.engine.prefill(std::span(ids).first(9));
  tiny.engine.decode({&ids[9], 1});
  return copy_of(tiny.engine.decode({&ids[10], 1}));
}

/// With work done as late or as early as CUDA allows.
bool any_order_differs(const EngineOptions& options, const std::vector<float>& expected, int left_out_wait) {
  bool differs = false;
  for (const auto order : {emulation::QueueOrder::kLate, emulation::QueueOrder::kOthersEarly}) {
    emulation::set_queue_order(order);
    const EngineOptions fresh = on_device(options);
    emulation::leave_out_wait(left_out_wait);
    differs = differs || !(distance(logits_of_three_steps(fresh), expected) < 2e-5);
    emulation::leave_out_wait(0);
  }
  emulation::set_queue_order(emulation::QueueOrder::kLate);
  return differs;
}

class CudaTierWaits : public testing::TestWithParam<const char*> {};

TEST_P(CudaTierWaits, BetweenComputingAndCopyingAreAllNeeded) {
  const EngineOptions options = options_with(GetParam());
  const std::vector<float> expected = logits_of_three_steps(options);
  const int before = emulation::n_event_waits();
  EXPECT_FALSE(any_order_differs(options, expected, 0));
  // Three steps of four layers in either order; each waits to be there, and is waited for when it is left.
  const int n_waits = (emulation::n_event_waits() - before) / 2;
  ASSERT_EQ(n_waits, 3 * 4 * 2);
  int n_seen = 0;
  for (int i = 1; i <= n_waits; ++i) n_seen += any_order_differs(options, expected, i) ? 1 : 0;
  // The first step has nothing to load for its first two layers; what the last step's last two layers wrote nobody reads.
  EXPECT_EQ(n_seen, n_waits - 2 - 2);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CudaTierWaits, testing::Values("offload:host:4", "offload:file:4"),
                         [](const auto& kv) { return kv.index == 0 ? "host" : "file"; });

/// A file whose third block cannot be read back: the step that needed it says so, not the one after.
TEST(CudaTiers, AFileThatFailsEndsTheStepThatNeededIt) {
  EngineOptions options = on_device(options_with("offload:file:4"));
  FileCalls calls = FileCalls::of_system();
  int n_reads = 0;
  calls.read = [&n_reads, read = calls.read](int fd, void* to, std::size_t size, off_t at) -> ssize_t {
    if (++n_reads < 3) return read(fd, to, size, at);
    errno = EIO;
    return -1;
  };
  options.kv_tier.calls = calls;
  TinyEngine gpu(tiny_model(), options);
  const Ids ids = some_ids(20, 61);
  gpu.engine.prefill(std::span(ids).first(9));  // writes, and reads nothing
  const std::string reason = reason_of([&] { gpu.engine.decode({&ids[9], 1}); });
  EXPECT_NE(reason.find("could not be read"), std::string::npos) << reason;
}

TEST(CudaTiers, TheFileIsDescribedAsOnTheCpu) {
  const TinyEngine gpu(tiny_model(), on_device(options_with("offload:file:4")));
  const std::string text = gpu.engine.kv_tier_description();
  EXPECT_NE(text.find("a file of"), std::string::npos) << text;
  EXPECT_NE(text.find("behind pinned memory"), std::string::npos) << text;
}

// -------- measuring

TEST(CudaPoints, PhasesAreMeasuredOnTheDevice) {
  TinyEngine gpu(tiny_model(), on_device(options_with("paged:4"))), cpu(tiny_model(), options_with("paged:4"));
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    PointRequest request;
    request.phase = phase;
    request.context_tokens = 12;
    request.rule = StopRule::exactly(3);
    request.rule.max_warmup_s = 0.0;
    const PointResult on_gpu = PointRunner(gpu.engine).run(request), on_cpu = PointRunner(cpu.engine).run(request);
    EXPECT_EQ(on_gpu.measurement.samples_s.size(), 3u);
    EXPECT_EQ(on_gpu.cost.flops.value, on_cpu.cost.flops.value);
    ASSERT_EQ(on_gpu.ops.size(), on_cpu.ops.size());
    for (std::size_t i = 0; i < on_gpu.ops.size(); ++i) {
      EXPECT_EQ(on_gpu.ops[i].op, on_cpu.ops[i].op);
      EXPECT_EQ(on_gpu.ops[i].n_calls, on_cpu.ops[i].n_calls);
      EXPECT_FALSE(on_gpu.ops[i].times_s.empty());
    }
    EXPECT_GT(on_gpu.busy_share, 0.0);
    EXPECT_LE(on_gpu.busy_share, 1.0);
  }
}

// -------- what it refuses

TEST(CudaRefusals, NameTheKernelsThatThereAre) {
  EngineOptions options = on_device(options_with("paged:4"));
  options.attention_variant = "tiled";  // the CPU's
  const std::string reason = reason_of([&] { TinyEngine tiny(tiny_model(), options); });
  EXPECT_NE(reason.find("tensor, latent, stream, naive"), std::string::npos) << reason;
  options.attention_variant.clear();
  options.linear_variant = "onednn";
  EXPECT_NE(reason_of([&] { TinyEngine tiny(tiny_model(), options); }).find("gemv, unpacked, cublaslt"),
            std::string::npos);
}

TEST(CudaRefusals, LatentsThatAreNoWholeVectors) {
  ModelSpec model = tiny_model();
  MlaSpec latent;
  latent.q_lora_rank = 21;
  model.layers[1].mixer = latent;
  const EngineOptions options = on_device(options_with("paged:4"));
  EXPECT_NE(reason_of([&] { engine_memory(model, options); }).find("no whole vectors"), std::string::npos);
}

TEST(CudaRefusals, WithoutADriverTheReasonIsTheRuntimes) {
  emulation::set_device_count(0);
  const std::string reason = reason_of([] { emulated_device(); });
  emulation::set_device_count(1);
  EXPECT_NE(reason.find("driver version is insufficient"), std::string::npos) << reason;
  EXPECT_NE(reason_of([] {
              make_cuda_device(3, std::make_unique<kernels::cuda::Gemm>(emulation::gemm_api()));
            }).find("CUDA device 3"),
            std::string::npos);
}

}  // namespace
}  // namespace dachlast
