#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/base/error.h"
#include "core/model/layer_cache.h"
#include "core/model/model_source.h"
#include "core/model/op_list.h"
#include "core/model/weight_slots.h"

// Op lists of models that are planned and not run.
namespace dachlast {
namespace {

using testing::ElementsAre;

constexpr Precision kBf16{DType::kBF16, {KvFormat::kBF16}};

ModelSpec model(const std::string& preset) {
  return resolve_model(preset).spec;
}

std::vector<Op> ops_of(const ModelSpec& spec, const Step& step) {
  return build_op_list(spec, step, kBf16);
}

std::vector<OpKind> kinds_of_layer(const std::string& preset, int layer, const Step& step) {
  std::vector<OpKind> kinds;
  for (const Op& op : ops_of(model(preset), step))
    if (op.layer == layer) kinds.push_back(op.kind);
  return kinds;
}

constexpr Step kDecode{.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 100};

TEST(PlannedOps, ExpertsFollowTheRouter) {
  EXPECT_THAT(kinds_of_layer("mixtral-8x7b", 3, kDecode),
              ElementsAre(OpKind::kNorm, OpKind::kQkvProj, OpKind::kRope, OpKind::kKvWrite, OpKind::kAttention,
                          OpKind::kOProj, OpKind::kResidual, OpKind::kNorm, OpKind::kRouter, OpKind::kExpertUp,
                          OpKind::kExpertAct, OpKind::kExpertDown, OpKind::kCombine, OpKind::kResidual));
}

TEST(PlannedOps, LatentAttentionReadsTheLatentOnce) {
  EXPECT_THAT(kinds_of_layer("deepseek-v3", 0, kDecode),
              ElementsAre(OpKind::kNorm, OpKind::kLatentDown, OpKind::kLatentDown, OpKind::kQkNorm, OpKind::kLatentUp,
                          OpKind::kRope, OpKind::kKvWrite, OpKind::kLatentUp, OpKind::kAttention, OpKind::kOProj,
                          OpKind::kResidual, OpKind::kNorm, OpKind::kMlpUp, OpKind::kMlpAct, OpKind::kMlpDown,
                          OpKind::kResidual));
  for (const Op& op : ops_of(model("deepseek-v3"), kDecode))
    if (const auto* a = std::get_if<WideAttentionShape>(&op.shape)) {
      EXPECT_EQ(a->score_dim, 576);
      EXPECT_EQ(a->value_dim, 512);
      EXPECT_EQ(a->row_elements, 576);
    }
}

TEST(PlannedOps, PrefillRebuildsKeysAndValuesOfAllCachedTokens) {
  const Step step{.phase = Phase::kPrefill, .batch_size = 2, .q_len = 10, .kv_len = 30};
  for (const Op& op : ops_of(model("deepseek-v3"), step)) {
    if (op.weight != WeightRole::kKvUp) continue;
    const auto& shape = std::get<LinearShape>(op.shape);
    EXPECT_EQ(shape.m, 60);                 // 2 · 30 tokens
    EXPECT_EQ(shape.n, 128 * (128 + 128));  // heads · (nope + v)
  }
}

TEST(PlannedOps, SparseAttentionReadsTheTokensItsIndexerChose) {
  const Step step{.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 100000};
  int scored = 0;
  for (const Op& op : ops_of(model("deepseek-v3.2"), step)) {
    if (op.kind == OpKind::kAttention) {
      EXPECT_EQ(std::get<WideAttentionShape>(op.shape).top_k, 2048);
    }
    scored += op.kind == OpKind::kIndexScore ? 1 : 0;
  }
  EXPECT_EQ(scored, 61);
}

TEST(PlannedOps, StatesReplaceTheCache) {
  EXPECT_THAT(kinds_of_layer("nemotron-h-8b", 0, kDecode),
              ElementsAre(OpKind::kNorm, OpKind::kMixerIn, OpKind::kConv, OpKind::kScan, OpKind::kGate, OpKind::kNorm,
                          OpKind::kMixerOut, OpKind::kResidual));
  EXPECT_THAT(kinds_of_layer("nemotron-h-8b", 1, kDecode),
              ElementsAre(OpKind::kNorm, OpKind::kMlpUp, OpKind::kMlpAct, OpKind::kMlpDown, OpKind::kResidual));
}

TEST(PlannedOps, BothBranchesOfAParallelBlockStartFromTheSameResidual) {
  EXPECT_THAT(kinds_of_layer("pythia-160m", 0, kDecode),
              ElementsAre(OpKind::kNorm, OpKind::kQkvProj, OpKind::kRope, OpKind::kKvWrite, OpKind::kAttention,
                          OpKind::kOProj, OpKind::kNorm, OpKind::kResidual, OpKind::kMlpUp, OpKind::kMlpAct,
                          OpKind::kMlpDown, OpKind::kResidual));
}

/// Elements of matrices that one operation multiplies with.
double matrix_elements(const Op& op) {
  if (const auto* linear = std::get_if<LinearShape>(&op.shape)) return 1.0 * linear->n * linear->k;
  if (const auto* experts = std::get_if<ExpertsShape>(&op.shape))
    return 1.0 * experts->n_experts * experts->n * experts->k;
  return 0.0;
}

/// Slots that operations multiply with. Left out: embeddings, which are looked up; the gate of a shared expert, one
/// row; the inputs of each layer's own.
bool is_multiplied(const WeightSlot& slot) {
  return slot.part == WeightPart::kMatrix && slot.role != WeightRole::kTokenEmbedding &&
         slot.role != WeightRole::kSharedGate;
}

class PlannedModel : public testing::TestWithParam<PresetInfo> {};

TEST_P(PlannedModel, MultipliesWithEveryMatrixOnce) {
  const ModelSpec spec = model(GetParam().name);
  double multiplied = 0.0;
  for (const Op& op : ops_of(spec, {.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 100}))
    multiplied += matrix_elements(op);
  double kept = spec.tied_embeddings ? 1.0 * spec.vocab_size * spec.d_model : 0.0;  // a tied head is multiplied too
  for (const WeightSlot& slot : weight_slots(spec))
    if (is_multiplied(slot)) kept += static_cast<double>(slot.size());
  EXPECT_EQ(multiplied, kept);
}

TEST_P(PlannedModel, WritesWhatItsCacheKeeps) {
  const ModelSpec spec = model(GetParam().name);
  double written = 0.0;
  for (const Op& op : ops_of(spec, {.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 100})) {
    if (const auto* plain = std::get_if<KvWriteShape>(&op.shape)) written += 2.0 * plain->n_kv_heads * plain->head_dim;
    if (const auto* wide = std::get_if<CacheWriteShape>(&op.shape)) written += wide->elements;
  }
  double kept = 0.0;
  for (const LayerSpec& layer : spec.layers) kept += layer_cache(layer).elements_per_token();
  EXPECT_EQ(written, kept);
}

INSTANTIATE_TEST_SUITE_P(Presets, PlannedModel, testing::ValuesIn(list_presets()), [](const auto& tested) {
  std::string name = tested.param.name;
  for (char& c : name)
    if (c == '-' || c == '.') c = '_';
  return name;
});

TEST(PlannedOps, RowsBeyondACountAreRefused) {
  const int context = std::numeric_limits<int>::max() / 2;
  ModelSpec spec = model("deepseek-v3");
  spec.max_context = context;
  EXPECT_THROW(ops_of(spec, {.phase = Phase::kPrefill, .batch_size = 4, .q_len = 1, .kv_len = context}), Error);
  EXPECT_NO_THROW(ops_of(spec, {.phase = Phase::kDecode, .batch_size = 4, .q_len = 1, .kv_len = context}));
}

}  // namespace
}  // namespace dachlast
