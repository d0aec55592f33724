#include "core/model/op_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <type_traits>

#include "core/base/error.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

using testing::ElementsAre;

static_assert(std::is_trivially_copyable_v<Op>);

/// One layer, 4 query and 2 KV heads of 16, width 64, d_ff 96, vocabulary 100, context 1000.
ModelSpec small_model(BlockWiring wiring) {
  ModelSpec model;
  model.name = "small";
  model.d_model = 64;
  model.vocab_size = 100;
  model.max_context = 1000;
  model.wiring = wiring;
  LayerSpec layer;
  attention_of(layer).n_heads = 4;
  attention_of(layer).n_kv_heads = 2;
  attention_of(layer).head_dim = 16;
  attention_of(layer).window = 7;
  attention_of(layer).rope = RopeSpec{.theta = 1e4, .rotary_dim = 8, .scaling = {}};
  mlp_of(layer).d_ff = 96;
  model.layers = {layer};
  return model;
}

constexpr Step kPrefill = {.phase = Phase::kPrefill, .batch_size = 3, .q_len = 5, .kv_len = 20};
constexpr Precision kPrecision = {.weights = DType::kBF16, .kv = {.format = KvFormat::kF32}};

std::string text_of(Buffer buffer) {
  constexpr const char* names[kBufferCount] = {
      "ids",   "residual", "normed", "qkv",    "attended",  "branch",        "up",         "hidden", "latent",
      "index", "mixer in", "mixed",  "scores", "expert up", "expert hidden", "expert out", "logits", "next"};
  return names[static_cast<int>(buffer)];
}

std::vector<std::string> wiring_of(const ModelSpec& model) {
  std::vector<std::string> lines;
  for (const Op& op : build_op_list(model, kPrefill, kPrecision))
    if (op.layer >= 0) lines.push_back(std::string(name_of(op.kind)) + " " + text_of(op.in) + ">" + text_of(op.out));
  return lines;
}

template <class Shape>
const Shape& shape_of(const std::vector<Op>& ops, OpKind kind) {
  for (const Op& op : ops)
    if (op.kind == kind) return std::get<Shape>(op.shape);
  throw std::out_of_range("no such operation");
}

TEST(OpList, SequentialBlock) {
  EXPECT_THAT(wiring_of(small_model(BlockWiring::kSequential)),
              ElementsAre("norm residual>normed", "qkv_proj normed>qkv", "rope qkv>qkv", "kv_write qkv>qkv",
                          "attention qkv>attended", "o_proj attended>branch", "residual branch>residual",
                          "norm residual>normed", "mlp_up normed>up", "mlp_act up>hidden", "mlp_down hidden>branch",
                          "residual branch>residual"));
}

TEST(OpList, SandwichBlockNormsEachBranchAgain) {
  EXPECT_THAT(wiring_of(small_model(BlockWiring::kSandwich)),
              ElementsAre("norm residual>normed", "qkv_proj normed>qkv", "rope qkv>qkv", "kv_write qkv>qkv",
                          "attention qkv>attended", "o_proj attended>branch", "norm branch>branch",
                          "residual branch>residual", "norm residual>normed", "mlp_up normed>up", "mlp_act up>hidden",
                          "mlp_down hidden>branch", "norm branch>branch", "residual branch>residual"));
}

TEST(OpList, ParallelBlockNormsOnce) {
  EXPECT_THAT(
      wiring_of(small_model(BlockWiring::kParallel)),
      ElementsAre("norm residual>normed", "qkv_proj normed>qkv", "rope qkv>qkv", "kv_write qkv>qkv",
                  "attention qkv>attended", "o_proj attended>branch", "residual branch>residual", "mlp_up normed>up",
                  "mlp_act up>hidden", "mlp_down hidden>branch", "residual branch>residual"));
}

TEST(OpList, PostNormBlockNormsTheSum) {
  EXPECT_THAT(
      wiring_of(small_model(BlockWiring::kPostNorm)),
      ElementsAre("qkv_proj residual>qkv", "rope qkv>qkv", "kv_write qkv>qkv", "attention qkv>attended",
                  "o_proj attended>branch", "residual branch>residual", "norm residual>residual", "mlp_up residual>up",
                  "mlp_act up>hidden", "mlp_down hidden>branch", "residual branch>residual", "norm residual>residual"));
}

TEST(OpList, WeightRolesFollowTheBlock) {
  std::vector<WeightRole> roles;
  for (const Op& op : build_op_list(small_model(BlockWiring::kSandwich), kPrefill, kPrecision))
    if (op.weight != WeightRole::kNone) roles.push_back(op.weight);
  EXPECT_THAT(
      roles, ElementsAre(WeightRole::kTokenEmbedding, WeightRole::kInputNorm, WeightRole::kQkv, WeightRole::kOProj,
                         WeightRole::kPostAttentionNorm, WeightRole::kMlpNorm, WeightRole::kMlpUp, WeightRole::kMlpDown,
                         WeightRole::kPostMlpNorm, WeightRole::kFinalNorm, WeightRole::kLmHead));
}

TEST(OpList, SizesOfAPrefill) {
  const auto ops = build_op_list(small_model(BlockWiring::kSequential), kPrefill, kPrecision);
  const auto& qkv = shape_of<LinearShape>(ops, OpKind::kQkvProj);
  EXPECT_EQ(qkv.m, 15);   // 3 sequences of 5 new tokens
  EXPECT_EQ(qkv.n, 128);  // (4 + 2 · 2) · 16
  EXPECT_EQ(qkv.k, 64);
  EXPECT_EQ(qkv.weight_dtype, DType::kBF16);
  const auto& rope = shape_of<RopeShape>(ops, OpKind::kRope);
  EXPECT_EQ(rope.n_heads, 6);  // 4 + 2
  EXPECT_EQ(rope.rotary_dim, 8);
  const auto& write = shape_of<KvWriteShape>(ops, OpKind::kKvWrite);
  EXPECT_EQ(write.n_tokens, 15);
  EXPECT_EQ(write.n_kv_heads, 2);
  EXPECT_EQ(write.kv.format, KvFormat::kF32);
  const auto& attention = shape_of<AttentionShape>(ops, OpKind::kAttention);
  EXPECT_EQ(attention.batch_size, 3);
  EXPECT_EQ(attention.q_len, 5);
  EXPECT_EQ(attention.kv_len, 20);
  EXPECT_EQ(attention.window, 7);
  EXPECT_EQ(shape_of<LinearShape>(ops, OpKind::kOProj).k, 64);   // 4 · 16
  EXPECT_EQ(shape_of<LinearShape>(ops, OpKind::kMlpUp).n, 192);  // gate and up: 2 · 96
  EXPECT_EQ(shape_of<LinearShape>(ops, OpKind::kMlpDown).k, 96);
  EXPECT_EQ(shape_of<EmbedShape>(ops, OpKind::kEmbed).n_tables, 1);
}

TEST(OpList, PlainMlpHasOneUpProjection) {
  ModelSpec model = small_model(BlockWiring::kSequential);
  mlp_of(model.layers[0]).gate = Gate::kNone;
  EXPECT_EQ(shape_of<LinearShape>(build_op_list(model, kPrefill, kPrecision), OpKind::kMlpUp).n, 96);
}

TEST(OpList, QkNormComesBeforeRopeAndNormsEveryHead) {
  ModelSpec model = small_model(BlockWiring::kSequential);
  attention_of(model.layers[0]).qk_norm = QkNorm::kPerHead;
  const auto ops = build_op_list(model, kPrefill, kPrecision);
  const auto& norm = shape_of<NormShape>(ops, OpKind::kQkNorm);
  EXPECT_EQ(norm.n_rows, 90);  // 15 tokens · (4 + 2) heads
  EXPECT_EQ(norm.dim, 16);
  EXPECT_EQ(ops[3].kind, OpKind::kQkNorm);
  EXPECT_EQ(ops[4].kind, OpKind::kRope);
}

TEST(OpList, LearnedPositionsReplaceRope) {
  ModelSpec model = small_model(BlockWiring::kSequential);
  attention_of(model.layers[0]).rope.reset();
  model.n_learned_positions = 1000;
  const auto ops = build_op_list(model, kPrefill, kPrecision);
  EXPECT_EQ(shape_of<EmbedShape>(ops, OpKind::kEmbed).n_tables, 2);
  for (const Op& op : ops) EXPECT_NE(op.kind, OpKind::kRope);
}

TEST(OpList, HeadSeesTheLastTokenOfEachSequence) {
  const auto ops = build_op_list(small_model(BlockWiring::kSequential), kPrefill, kPrecision);
  const Op& norm = ops[ops.size() - 3];
  const Op& head = ops[ops.size() - 2];
  const Op& sample = ops.back();
  EXPECT_EQ(norm.weight, WeightRole::kFinalNorm);
  EXPECT_EQ(norm.rows, Rows::kLastOfEachSequence);
  EXPECT_EQ(std::get<NormShape>(norm.shape).n_rows, 3);
  EXPECT_EQ(head.rows, Rows::kAll);  // of the three rows the norm has packed
  EXPECT_EQ(std::get<LinearShape>(head.shape).m, 3);
  EXPECT_EQ(std::get<LinearShape>(head.shape).n, 100);
  EXPECT_EQ(head.layer, -1);
  EXPECT_EQ(sample.rows, Rows::kAll);
  EXPECT_EQ(std::get<SampleShape>(sample.shape).n_rows, 3);
}

TEST(OpList, HeadCanSeeAllTokens) {
  Step step = kPrefill;
  step.logits = LogitsFor::kAllTokens;
  const auto ops = build_op_list(small_model(BlockWiring::kSequential), step, kPrecision);
  EXPECT_EQ(ops[ops.size() - 3].rows, Rows::kAll);
  EXPECT_EQ(std::get<LinearShape>(ops[ops.size() - 2].shape).m, 15);
  EXPECT_EQ(ops.back().rows, Rows::kLastOfEachSequence);  // still one next token per sequence
  EXPECT_EQ(std::get<SampleShape>(ops.back().shape).n_rows, 3);
}

TEST(OpList, WithoutAFinalNormTheHeadReadsTheResidual) {
  ModelSpec model = small_model(BlockWiring::kPostNorm);
  model.final_norm = false;
  const auto ops = build_op_list(model, kPrefill, kPrecision);
  const Op& head = ops[ops.size() - 2];
  EXPECT_EQ(head.in, Buffer::kResidual);
  EXPECT_EQ(head.rows, Rows::kLastOfEachSequence);
  EXPECT_EQ(ops[ops.size() - 3].layer, 0);
}

TEST(OpList, KeepsTheCapacityOfTheList) {
  const ModelSpec model = small_model(BlockWiring::kSequential);
  std::vector<Op> ops;
  build_op_list(model, kPrefill, kPrecision, ops);
  const Op* data = ops.data();
  const std::size_t size = ops.size();
  build_op_list(model, kPrefill, kPrecision, ops);
  EXPECT_EQ(ops.data(), data);
  EXPECT_EQ(ops.size(), size);
}

TEST(OpList, RefusesImpossibleSteps) {
  const ModelSpec model = small_model(BlockWiring::kSequential);
  const auto kind_of = [&](const Step& step) {
    try {
      build_op_list(model, step, kPrecision);
    } catch (const Error& error) {
      return error.kind();
    }
    ADD_FAILURE() << "no error";
    return ErrorKind::kFailure;
  };
  EXPECT_EQ(kind_of({.batch_size = 0, .q_len = 1, .kv_len = 1}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.batch_size = 1, .q_len = 0, .kv_len = 1}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.batch_size = 1, .q_len = 1, .kv_len = -1}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.batch_size = 1, .q_len = 5, .kv_len = 4}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.batch_size = 1, .q_len = 1, .kv_len = 1001}), ErrorKind::kDoesNotFit);
  EXPECT_EQ(kind_of({.batch_size = std::numeric_limits<int>::max(), .q_len = 1000, .kv_len = 1000}),
            ErrorKind::kDoesNotFit);
  // 2^29 rows of 6 heads each: the tokens fit in an int, the rows of QK-norm do not.
  EXPECT_EQ(kind_of({.batch_size = 1 << 29, .q_len = 1, .kv_len = 1}), ErrorKind::kDoesNotFit);
}

/// Work of the matrices and of attention: 2·m·n·k, and 4 · head_dim · n_heads for each key a decode step sees.
double flops_of(const std::vector<Op>& ops) {
  double flops = 0;
  for (const Op& op : ops) {
    if (const auto* linear = std::get_if<LinearShape>(&op.shape)) flops += 2.0 * linear->m * linear->n * linear->k;
    if (const auto* a = std::get_if<AttentionShape>(&op.shape))
      flops += 4.0 * a->head_dim * a->n_heads * a->kv_len * a->batch_size;
  }
  return flops;
}

TEST(OpList, WorkOfADecodeStepOfLlama32_1B) {
  const ModelSpec model = resolve_model("llama-3.2-1b").spec;
  const Step step{.phase = Phase::kDecode, .batch_size = 2, .q_len = 1, .kv_len = 4096};
  const auto ops = build_op_list(model, step, kPrecision);
  // embed; 16 layers of norm, qkv, rope, kv_write, attention, o, residual, norm, up, act, down, residual; norm, head,
  // sample
  EXPECT_EQ(ops.size(), 1u + 16 * 12 + 3);
  // Each matrix entry costs 2 FLOP a token. 1,235,814,400 parameters are all in matrices (the tied embedding serves as
  // head) but for 2 · 16 + 1 norms of 2048. Attention: 4 · 64 · 32 heads · 4096 keys in 16 layers.
  const double matrices = 2.0 * (1235814400.0 - 33 * 2048);
  const double attention = 4.0 * 64 * 32 * 4096 * 16;
  EXPECT_DOUBLE_EQ(flops_of(ops), 2 * (matrices + attention));
}

}  // namespace
}  // namespace dachlast
