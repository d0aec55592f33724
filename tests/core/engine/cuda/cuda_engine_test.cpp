// Runs the engine's CUDA part from end to end on the emulated GPU and holds it against the CPU: the same model, the same tokens.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/engine/batch_runner.h"
#include "tests/core/engine/cuda/emulated_engine.h"
#include "tests/core/engine/stories_model.h"
#include "tests/emulation/gemm.h"
#include "tests/emulation/queues.h"

namespace dachlast {
namespace {

// Both sides compute in float and order their sums differently: a few roundings of logits of size 1 a layer.
constexpr double kFloatTolerance = 2e-5;

EngineOptions options_with(const char* kv, int capacity = 40) {
  EngineOptions options = options_for(capacity);
  options.kv = parse_kv_spec("--kv", kv);
  options.precision.kv.format = options.kv.format.value_or(KvFormat::kF32);
  return options;
}

/// Prefill of `n_prompt` tokens, then decode steps; the largest distance of any logits on the way.
double distance_on_the_way(EnginePair& pair, int n_prompt, int n_steps) {
  const auto ids = some_ids(n_prompt + n_steps, pair.spec.vocab_size);
  const std::span<const std::int32_t> all = ids;
  const auto n = static_cast<std::size_t>(n_prompt);
  double most = distance(pair.cpu.engine.prefill(all.first(n)), pair.gpu.engine.prefill(all.first(n)));
  for (std::size_t i = n; i < all.size(); ++i)
    most =
        std::max(most, distance(pair.cpu.engine.decode(all.subspan(i, 1)), pair.gpu.engine.decode(all.subspan(i, 1))));
  return most;
}

TEST(CudaEngine, PrefillAndDecodeGiveTheLogitsOfTheCpu) {
  EnginePair pair(tiny_model(), options_with("contiguous"));
  EXPECT_LT(distance_on_the_way(pair, 7, 9), kFloatTolerance);
  EXPECT_EQ(pair.gpu.engine.next_ids()[0], pair.cpu.engine.next_ids()[0]);
  EXPECT_EQ(pair.gpu.engine.position(), 16);
}

TEST(CudaEngine, RepeatedDecodeStepsAreLaunchedAsAGraph) {
  EnginePair pair(tiny_model(), options_with("paged:4"));
  const int before = emulation::n_graph_launches();
  EXPECT_LT(distance_on_the_way(pair, 5, 8), kFloatTolerance);
  // Of eight decode steps the first is queued as it is, the second captured and launched, six are replayed.
  EXPECT_EQ(emulation::n_graph_launches() - before, 7);
}

}  // namespace
}  // namespace dachlast
