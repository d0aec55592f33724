#include "core/model/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/overloaded.h"
#include "core/model/tensor_names.h"
#include "core/model/weight_slots.h"
#include "tests/core/model/checkpoint_writer.h"
#include "tests/core/model/small_models.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kTestData = DACHLAST_TEST_DATA_DIR;
const fs::path kFloatFile = kTestData / "../../core/model/catalog/stories-260k/model.safetensors";
const fs::path kBf16File = kTestData / "stories260k/model.bf16.safetensors";
const fs::path kHalfShards = kTestData / "stories260k/sharded";

std::vector<float> as_floats(const WeightMatrix& matrix) {
  if (const auto* floats = std::get_if<std::span<const float>>(&matrix)) return {floats->begin(), floats->end()};
  std::vector<float> values;
  if (const auto* packed = std::get_if<PackedMatrix>(&matrix)) {
    std::vector<float> row(static_cast<std::size_t>(packed->columns));
    for (int i = 0; i < packed->rows; ++i) {
      unpack_row(*packed, i, row);
      values.insert(values.end(), row.begin(), row.end());
    }
    return values;
  }
  for (const BF16 value : std::get<std::span<const BF16>>(matrix)) values.push_back(to_float(value));
  return values;
}

/// Every element of a model's weights, slot after slot.
std::vector<float> all_values(const Weights& weights, const ModelSpec& model) {
  std::vector<float> values;
  for (const WeightSlot& slot : fused_weight_slots(model)) {
    const auto bias = weights.bias(slot.role, slot.layer);
    const std::vector<float> part = slot.part == WeightPart::kBias ? std::vector<float>(bias.begin(), bias.end())
                                    : slot.part == WeightPart::kPositions
                                        ? as_floats(weights.positions())
                                        : as_floats(weights.matrix(slot.role, slot.layer));
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

std::optional<Error> error_of(const ModelSpec& model, const fs::path& path, WeightStorage storage = DType::kF32) {
  try {
    open_weights(model, path, storage);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// The file mapped at an address, from /proc/self/maps; "" for memory of the program's own.
std::string file_at(const void* address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::string permissions, offset, device, inode, path;
    fields >> std::hex >> begin >> dash >> end >> permissions >> offset >> device >> inode >> path;
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    if (begin <= wanted && wanted < end) return fs::path(path).filename().string();
  }
  return "";
}

std::string file_of(const Weights& weights, WeightRole role, int layer) {
  return std::visit(Overloaded{[](const PackedMatrix& packed) { return file_at(packed.bytes.data()); },
                               [](auto span) { return file_at(span.data()); }},
                    weights.matrix(role, layer));
}

TEST(OpenWeights, AllStoredTypesHoldTheSameModel) {
  const ModelSpec model = stories_260k();
  const auto exact = all_values(*open_weights(model, kFloatFile, DType::kF32), model);
  const auto half = all_values(*open_weights(model, kHalfShards, DType::kF32), model);
  const auto bf16 = all_values(*open_weights(model, kBf16File, DType::kF32), model);
  ASSERT_EQ(exact.size(), 260'032u);  // the model's published parameter count
  ASSERT_EQ(half.size(), exact.size());
  ASSERT_EQ(bf16.size(), exact.size());
  for (std::size_t i = 0; i < exact.size(); ++i) {
    // Half of the last of 11 and 8 significant bits; below 2^-14 half precision is fixed-point with steps of 2^-24.
    ASSERT_NEAR(half[i], exact[i], std::abs(exact[i]) * 0x1p-11f + 0x1p-25f) << i;
    ASSERT_EQ(bf16[i], to_float(to_bf16(exact[i]))) << i;
  }
}

TEST(OpenWeights, RoundsMatricesToBf16AndKeepsNorms) {
  const ModelSpec model = stories_260k();
  const auto exact = open_weights(model, kFloatFile, DType::kF32);
  const auto rounded = open_weights(model, kFloatFile, DType::kBF16);
  const auto stored = open_weights(model, kBf16File, DType::kBF16);
  EXPECT_EQ(as_floats(rounded->matrix(WeightRole::kQkv, 4)), as_floats(stored->matrix(WeightRole::kQkv, 4)));
  EXPECT_EQ(as_floats(rounded->matrix(WeightRole::kMlpNorm, 4)), as_floats(exact->matrix(WeightRole::kMlpNorm, 4)));
  EXPECT_TRUE(std::holds_alternative<std::span<const float>>(stored->matrix(WeightRole::kMlpNorm, 4)));
}

TEST(OpenWeights, TakesWhatWasForetold) {
  const ModelSpec model = stories_260k();
  for (const fs::path& path : {kFloatFile, kHalfShards, kBf16File})
    for (const DType precision : {DType::kF32, DType::kBF16})
      EXPECT_EQ(open_weights(model, path, precision)->resident_bytes(), weight_bytes(model, precision));
}

TEST(OpenWeights, NamesItsFile) {
  const auto weights = open_weights(stories_260k(), kHalfShards, DType::kF32);
  EXPECT_EQ(weights->description(), "model.safetensors.index.json");
  EXPECT_FALSE(weights->random());
}

// In this file q, k and v follow each other, while gate and up have down between them.
TEST(OpenWeights, UsesTheFileInPlaceWhereItLiesAsWanted) {
  const auto weights = open_weights(stories_260k(), kFloatFile, DType::kF32);
  EXPECT_EQ(file_of(*weights, WeightRole::kTokenEmbedding, -1), "model.safetensors");
  EXPECT_EQ(file_of(*weights, WeightRole::kQkv, 0), "model.safetensors");
  EXPECT_EQ(file_of(*weights, WeightRole::kMlpDown, 4), "model.safetensors");
  EXPECT_EQ(file_of(*weights, WeightRole::kMlpUp, 0), "");
  EXPECT_EQ(file_of(*weights, WeightRole::kInputNorm, 0), "");
  EXPECT_EQ(file_of(*open_weights(stories_260k(), kBf16File, DType::kBF16), WeightRole::kOProj, 2),
            "model.bf16.safetensors");
  EXPECT_EQ(file_of(*open_weights(stories_260k(), kBf16File, DType::kF32), WeightRole::kOProj, 2), "");
}

TEST(OpenWeights, WrongConfigIsRefusedWithBothShapes) {
  ModelSpec model = stories_260k();
  for (LayerSpec& layer : model.layers) mlp_of(layer).d_ff = 128;
  const auto error = error_of(model, kFloatFile);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInput);
  EXPECT_THAT(error->subject(), HasSubstr("model.safetensors"));
  EXPECT_THAT(error->reason(), HasSubstr("tensor model.layers.0.mlp.gate_proj.weight has shape [172, 64], but the "
                                         "config asks for [128, 64]"));
}

TEST(OpenWeights, MissingTensorsAreNamed) {
  ModelSpec model = stories_260k();
  model.tied_embeddings = false;
  EXPECT_THAT(error_of(model, kFloatFile)->reason(), HasSubstr("tensor lm_head.weight is missing"));
  model = stories_260k();
  model.layers.push_back(model.layers.front());
  EXPECT_THAT(error_of(model, kHalfShards)->reason(),
              HasSubstr("tensor model.layers.5.input_layernorm.weight is missing"));
  EXPECT_THAT(error_of(tiny_gpt2(), kFloatFile)->reason(), HasSubstr("tensor transformer.wte.weight is missing"));
}

TEST(OpenWeights, TypesThatAreNoWeightsAreRefused) {
  const TempFolder folder;
  const auto path =
      folder.write("model.safetensors", safetensors_bytes(R"({"model.embed_tokens.weight":{"dtype":"I8","shape":[11,6],
                                                 "data_offsets":[0,66]}})",
                                                          std::string(66, 'x')));
  EXPECT_THAT(error_of(tiny_model(TensorNaming::kLlama), path)->reason(),
              HasSubstr("tensor model.embed_tokens.weight has dtype I8"));
}

TEST(OpenWeights, OtherPrecisionsAreRefused) {
  EXPECT_EQ(error_of(stories_260k(), kFloatFile, DType::kF16)->kind(), ErrorKind::kUsage);
}

// ---- one small made-up checkpoint of every naming

/// Every tensor the model needs, with values told from their name and place.
std::vector<TestTensor> tensors_for(const ModelSpec& model, const TensorPrefix& prefix) {
  std::vector<TestTensor> tensors;
  for (const WeightSlot& slot : fused_weight_slots(model)) {
    const TensorRequest request = tensors_of(slot, model, prefix);
    for (const TensorPart& part : request.parts) {
      const int rows = static_cast<int>(part.rows);
      const int columns = static_cast<int>(part.columns);
      const bool vector = slot.part == WeightPart::kNorm || slot.part == WeightPart::kBias;
      const std::vector<int> shape = vector                                      ? std::vector{rows}
                                     : request.layout == PartLayout::kTransposed ? std::vector{columns, rows}
                                                                                 : std::vector{rows, columns};
      tensors.push_back(test_tensor(part.name, shape));
    }
  }
  tensors.push_back(test_tensor("model.layers.0.self_attn.rotary_emb.inv_freq", {2}));  // unused, as in old checkpoints
  return tensors;
}

struct Family {
  const char* name;
  ModelSpec model;
};

class Families : public testing::TestWithParam<Family> {};

TEST_P(Families, OpenUnderEveryPrefixWithEqualSizes) {
  const ModelSpec& model = GetParam().model;
  for (const TensorPrefix& prefix : tensor_prefixes(model.naming)) {
    const TempFolder folder;
    folder.write("model.safetensors", f32_checkpoint(tensors_for(model, prefix)));
    for (const DType precision : {DType::kF32, DType::kBF16}) {
      const auto weights = open_weights(model, folder.path(), precision);
      EXPECT_EQ(weights->resident_bytes(), weight_bytes(model, precision)) << prefix.body;
    }
  }
}

TEST_P(Families, HoldTheSameWhereTheDataIsNotAligned) {
  const ModelSpec& model = GetParam().model;
  const TensorPrefix prefix = tensor_prefixes(model.naming).front();
  const TempFolder folder;
  const auto aligned = folder.write("aligned.safetensors", f32_checkpoint(tensors_for(model, prefix)));
  const auto expected = all_values(*open_weights(model, aligned, DType::kF32), model);
  for (const std::size_t shift : {1, 2, 3}) {
    const auto shifted = folder.write("shifted.safetensors", f32_checkpoint(tensors_for(model, prefix), shift));
    EXPECT_EQ(all_values(*open_weights(model, shifted, DType::kF32), model), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(OpenWeights, Families,
                         testing::Values(Family{"Llama", tiny_model(TensorNaming::kLlama)},
                                         Family{"Qwen3", tiny_qwen3()}, Family{"Gemma3", tiny_gemma3()},
                                         Family{"Phi", tiny_phi()}, Family{"Phi3", tiny_model(TensorNaming::kPhi3)},
                                         Family{"Gpt2", tiny_gpt2()}, Family{"Opt", tiny_opt()}),
                         [](const auto& family) { return std::string(family.param.name); });

class MadeUpCheckpoint : public testing::Test {
 protected:
  std::unique_ptr<Weights> open(const ModelSpec& model, const WeightStorage& storage = DType::kF32) {
    const auto prefix = tensor_prefixes(model.naming).front();
    return open_weights(model, folder_.write("model.safetensors", f32_checkpoint(tensors_for(model, prefix))), storage);
  }

  TempFolder folder_;
};

TEST_F(MadeUpCheckpoint, QueryKeyAndValueRowsLieBelowEachOther) {
  const auto weights = open(tiny_qwen3());
  const auto qkv = as_floats(weights->matrix(WeightRole::kQkv, 0));
  const std::string attention = "model.layers.0.self_attn.";
  EXPECT_EQ(qkv[11 * 6 + 5], test_value(attention + "q_proj.weight", 71));  // last of 12 rows of 6
  EXPECT_EQ(qkv[12 * 6], test_value(attention + "k_proj.weight", 0));
  EXPECT_EQ(qkv[16 * 6 + 1], test_value(attention + "v_proj.weight", 1));
  const auto bias = weights->bias(WeightRole::kQkv, 0);
  EXPECT_EQ(bias[11], test_value(attention + "q_proj.bias", 11));
  EXPECT_EQ(bias[12], test_value(attention + "k_proj.bias", 0));
  EXPECT_EQ(bias[19], test_value(attention + "v_proj.bias", 3));
  EXPECT_EQ(as_floats(weights->matrix(WeightRole::kKNorm, 0))[3], test_value(attention + "k_norm.weight", 3));
}

TEST_F(MadeUpCheckpoint, GateRowsLieAboveUpRows) {
  const auto weights = open(tiny_qwen3());
  const auto up = as_floats(weights->matrix(WeightRole::kMlpUp, 0));
  EXPECT_EQ(up[9 * 6], test_value("model.layers.0.mlp.gate_proj.weight", 54));
  EXPECT_EQ(up[10 * 6], test_value("model.layers.0.mlp.up_proj.weight", 0));
  EXPECT_EQ(weights->bias(WeightRole::kMlpUp, 0)[19], test_value("model.layers.0.mlp.up_proj.bias", 9));
}

TEST_F(MadeUpCheckpoint, Conv1dIsTransposed) {
  const auto weights = open(tiny_gpt2());
  const auto qkv = as_floats(weights->matrix(WeightRole::kQkv, 0));  // [36, 6] from [6, 36]
  EXPECT_EQ(qkv[13 * 6 + 2], test_value("transformer.h.0.attn.c_attn.weight", 2 * 36 + 13));
  const auto down = as_floats(weights->matrix(WeightRole::kMlpDown, 0));  // [6, 10] from [10, 6]
  EXPECT_EQ(down[4 * 10 + 7], test_value("transformer.h.0.mlp.c_proj.weight", 7 * 6 + 4));
  EXPECT_EQ(as_floats(weights->matrix(WeightRole::kTokenEmbedding, -1))[8], test_value("transformer.wte.weight", 8));
  EXPECT_EQ(as_floats(weights->positions())[9], test_value("transformer.wpe.weight", 9));
}

TEST_F(MadeUpCheckpoint, PanelsHoldTheSameValuesAcrossTensorsAndTransposed) {
  // q, k and v of 36 rows lie in two panels; Conv1D tensors are transposed while packing. bf16 has 8 significant bits.
  for (const ModelSpec& model : {tiny_gpt2(), tiny_qwen3(), tiny_phi()}) {
    const auto expected = all_values(*open(model), model);
    const auto packed = all_values(*open(model, {DType::kBF16, WeightLayout::kPanels}), model);
    ASSERT_EQ(packed.size(), expected.size());
    for (std::size_t i = 0; i < packed.size(); ++i)
      ASSERT_NEAR(packed[i], expected[i], std::abs(expected[i]) * 0x1p-8) << model.name << ", " << i;
  }
}

TEST_F(MadeUpCheckpoint, QuantizedWeightsStayWithinHalfAStep) {
  // Values of a tensor are nearly equal: a step of int8 is their size / 127, of which half may be lost.
  const ModelSpec model = tiny_gpt2();
  const auto expected = all_values(*open(model), model);
  const auto quantized = all_values(*open(model, kInt8Rows), model);
  ASSERT_EQ(quantized.size(), expected.size());
  for (std::size_t i = 0; i < quantized.size(); ++i)
    ASSERT_NEAR(quantized[i], expected[i], std::abs(expected[i]) * 1.01 / 254) << i;
}

TEST_F(MadeUpCheckpoint, AValueThatIsNotFiniteIsNotQuantized) {
  const ModelSpec model = tiny_qwen3();
  std::vector<TestTensor> tensors = tensors_for(model, tensor_prefixes(model.naming).front());
  for (TestTensor& tensor : tensors)
    if (tensor.name.ends_with("down_proj.weight")) tensor.values[5] = std::numeric_limits<float>::infinity();
  const auto path = folder_.write("model.safetensors", f32_checkpoint(tensors));
  EXPECT_THAT(error_of(model, path, kInt4Groups32)->reason(), HasSubstr("not a finite number"));
  EXPECT_FALSE(error_of(model, path, DType::kF32));
}

TEST_F(MadeUpCheckpoint, TransposedTensorOfTheWrongWayRoundIsRefused) {
  ModelSpec model = tiny_gpt2();
  std::vector<TestTensor> tensors = tensors_for(model, {"", ""});
  for (TestTensor& tensor : tensors)
    if (tensor.name == "h.0.mlp.c_fc.weight") tensor.shape = {10, 6};
  const auto error = error_of(model, folder_.write("model.safetensors", f32_checkpoint(tensors)));
  EXPECT_THAT(error->reason(), HasSubstr("h.0.mlp.c_fc.weight has shape [10, 6], but the config asks for [6, 10]"));
}

TEST_F(MadeUpCheckpoint, SandwichNormsKeepTheirPlaces) {
  const auto weights = open(tiny_gemma3());
  const std::string layer = "model.layers.0.";
  const auto first = [&](WeightRole role) { return as_floats(weights->matrix(role, 0))[0]; };
  EXPECT_EQ(first(WeightRole::kPostAttentionNorm), test_value(layer + "post_attention_layernorm.weight", 0));
  EXPECT_EQ(first(WeightRole::kMlpNorm), test_value(layer + "pre_feedforward_layernorm.weight", 0));
  EXPECT_EQ(first(WeightRole::kPostMlpNorm), test_value(layer + "post_feedforward_layernorm.weight", 0));
}

TEST_F(MadeUpCheckpoint, LayerNormsAndHeadHaveTheirBiases) {
  const auto weights = open(tiny_phi());
  EXPECT_EQ(weights->bias(WeightRole::kFinalNorm, -1)[2], test_value("model.final_layernorm.bias", 2));
  EXPECT_EQ(weights->bias(WeightRole::kLmHead, -1)[10], test_value("lm_head.bias", 10));
  EXPECT_EQ(as_floats(weights->matrix(WeightRole::kLmHead, -1))[7], test_value("lm_head.weight", 7));
}

}  // namespace
}  // namespace dachlast
