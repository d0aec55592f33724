// What-ifs on the emulated GPU: layers that share a cache and prefill by shortcut give the logits of the CPU, which what_if_test.cpp
// holds against models that can be written down.
#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"
#include "core/model/what_if.h"
#include "tests/core/engine/cuda/emulated_engine.h"

namespace dachlast {
namespace {

constexpr double kFloatTolerance = 2e-5;
constexpr int kSteps = 5;  // enough for graphs to come again

/// The deep model with heads that fill panels of weights.
ModelSpec panel_model() {
  ModelSpec model = deep_model();
  for (LayerSpec& layer : model.layers) {
    auto& a = std::get<AttentionSpec>(layer.mixer);
    a.head_dim = a.rope->rotary_dim = 32;
  }
  return model;
}

EngineOptions options_with(const std::string& what_if, const char* kv) {
  EngineOptions options = options_for(64, kv);
  if (!what_if.empty()) options.what_if = parse_what_if("--what-if", what_if);
  return options;
}

class CudaWhatIf : public testing::TestWithParam<const char*> {};

TEST_P(CudaWhatIf, GivesTheLogitsOfTheCpu) {
  for (const char* kv : {"contiguous", "paged:16", "window:24"})
    for (const int n_prompt : {1, 2, 23}) {  // one token has no shortcut, two have one of a single token
      const EngineOptions options = options_with(GetParam(), kv);
      EnginePair pair(deep_model(), options, on_device(options));
      EXPECT_LT(distance_on_the_way(pair, n_prompt, kSteps), kFloatTolerance) << kv << ", " << n_prompt << " tokens";
      EXPECT_EQ(pair.gpu.engine.next_ids()[0], pair.cpu.engine.next_ids()[0]) << kv << ", " << n_prompt << " tokens";
    }
}

TEST_P(CudaWhatIf, CutsPanelsAtWholeOnes) {
  EngineOptions options = options_with(GetParam(), "paged:16");
  options.precision.weights = kInt8Rows;
  EnginePair pair(panel_model(), options, on_device(options));
  // The CPU rounds activations to 8 bits too: hundredths of logits of order 1. A wrong row moves them by 1.
  EXPECT_LT(distance_on_the_way(pair, 23, kSteps), 0.3);
}

INSTANTIATE_TEST_SUITE_P(All, CudaWhatIf,
                         testing::Values("shared-layers:2", "shared-layers:3", "swiftkv:1", "swiftkv:2"),
                         [](const auto& what_if) { return test_name_of(what_if.param); });

TEST(CudaWhatIfWeights, ServeTheModelAsItIsToo) {
  // Layers that share a cache need no norm of keys; the model as it is, held against them in the same run, does.
  ModelSpec model = deep_model();
  for (LayerSpec& layer : model.layers) std::get<AttentionSpec>(layer.mixer).qk_norm = QkNorm::kPerHead;
  const EngineOptions changed = on_device(options_with("shared-layers:2", "paged:16"));
  EngineOptions plain = changed;
  plain.what_if = {};
  const auto weights = random_weights(model, 7, plain.weight_storage());
  const Engine held(model, *weights, changed);
  Engine as_it_is(model, *weights, plain);
  Engine on_cpu(model, *weights, options_with("", "paged:16"));
  const auto ids = some_ids(9, model.vocab_size);
  EXPECT_LT(distance(as_it_is.prefill(ids), on_cpu.prefill(ids)), kFloatTolerance);
  EXPECT_EQ(changed.device->use().weight_bytes, weight_bytes(model, plain.weight_storage()));
}

TEST(CudaWhatIfWeights, TiersAreRefusedAsOnTheCpu) {
  EXPECT_THROW(TinyEngine(deep_model(), on_device(options_with("shared-layers:2", "offload:host"))), Error);
}

}  // namespace
}  // namespace dachlast
