#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigReader : public ConfigTest {};

std::string nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += R"({"a":)";
  return text + "1" + std::string(static_cast<std::size_t>(depth), '}');
}

TEST_F(ConfigReader, NamesTheModelAfterItsFolder) {
  EXPECT_EQ(read(small_config("llama")).name, folder_.filename().string());
  EXPECT_EQ(read_model_spec(write("tiny.json", small_config("llama")), warnings_).name, "tiny");
}

TEST_F(ConfigReader, RefusesUnknownArchitecturesAndListsTheKnown) {
  const std::string error = error_of(small_config("mamba9"));
  EXPECT_THAT(error, HasSubstr("\"mamba9\""));
  EXPECT_THAT(error, HasSubstr("Known: llama, mistral, qwen2, qwen3, gemma"));
  EXPECT_THAT(error_of(R"({"hidden_size": 64})"), HasSubstr("\"model_type\" is missing"));
  EXPECT_THAT(error_of(R"({"model_type": 3})"), HasSubstr("not a text"));
}

TEST_F(ConfigReader, RefusesSizesThatAreNoSizes) {
  struct Case {
    const char* value;
    const char* reason;
  };
  for (const Case& bad :
       {Case{"0", "is 0, not a positive size"}, Case{"-64", "is -64, not a positive size"},
        Case{"64.0", "not an integer"}, Case{"64.5", "not an integer"}, Case{"\"64\"", "not an integer"},
        Case{"true", "not an integer"}, Case{"[64]", "not an integer"}, Case{"null", "is missing"},
        Case{"2147483648", "beyond every known model"}, Case{"18446744073709551615", "beyond every known model"},
        Case{"-9223372036854775808", "not a positive size"}, Case{"1e999", "not valid JSON"}}) {
    const std::string json = R"({"model_type": "llama", "intermediate_size": 96, "num_hidden_layers": 2,
                                 "num_attention_heads": 4, "hidden_size": )" +
                             std::string(bad.value) + "}";
    EXPECT_THAT(error_of(json), HasSubstr(bad.reason)) << bad.value;
  }
}

TEST_F(ConfigReader, RefusesEachMissingSize) {
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"}) {
    std::string json = small_config("llama");
    json.replace(json.find(key), std::string(key).size(), "x");
    EXPECT_THAT(error_of(json), HasSubstr("\"" + std::string(key) + "\" is missing")) << json;
  }
}

TEST_F(ConfigReader, RefusesHeadsThatDoNotDivide) {
  EXPECT_THAT(error_of(small_config("llama", R"("num_key_value_heads": 3)")),
              HasSubstr("does not divide 4 query heads"));
  EXPECT_THAT(error_of(small_config("llama", R"("num_key_value_heads": 8)")),
              HasSubstr("does not divide 4 query heads"));
  EXPECT_THAT(error_of(R"({"model_type": "llama", "hidden_size": 65, "intermediate_size": 96,
                           "num_hidden_layers": 2, "num_attention_heads": 4})"),
              HasSubstr("does not divide a width of 65"));
  EXPECT_THAT(error_of(small_config("llama", R"("head_dim": 15)")), HasSubstr("not an even part"));
  EXPECT_THAT(error_of(R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
                           "num_attention_heads": 16384, "head_dim": 16384})"),
              HasSubstr("beyond every known model"));
}

TEST_F(ConfigReader, RefusesWrongTypesOfOtherKeys) {
  EXPECT_THAT(error_of(small_config("llama", R"("tie_word_embeddings": "yes")")), HasSubstr("not true or false"));
  EXPECT_THAT(error_of(small_config("llama", R"("rms_norm_eps": "small")")), HasSubstr("not a number"));
  EXPECT_THAT(error_of(small_config("llama", R"("rms_norm_eps": -1e-5)")), HasSubstr("not a positive number"));
  EXPECT_THAT(error_of(small_config("llama", R"("rope_theta": 0)")), HasSubstr("not a positive number"));
  EXPECT_THAT(error_of(small_config("llama", R"("hidden_act": "swish2")")), HasSubstr("unknown activation"));
  EXPECT_THAT(error_of(small_config("llama", R"("bos_token_id": "<s>")")), HasSubstr("not a token id"));
}

TEST_F(ConfigReader, RefusesMalformedJsonAndSaysWhere) {
  // The comma of line 2 is missing: the parser stops at the opening quote of line 3.
  EXPECT_THAT(error_of("{\n\"model_type\": \"llama\"\n\"hidden_size\": 64}"), HasSubstr("line 3, column"));
  EXPECT_THAT(error_of(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of("[1, 2]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("{\"model_type\": \"\xff\"}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(R"({"model_type": "llama", "model_type": "gpt2"})"), HasSubstr("\"model_type\" twice"));
}

TEST_F(ConfigReader, RefusesDeepAndHugeFiles) {
  EXPECT_THAT(error_of(nested(65)), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(error_of(nested(100000)), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(error_of(nested(60)), HasSubstr("\"model_type\" is missing"));  // deep enough to be legal
  EXPECT_THAT(error_of(std::string((16u << 20) + 1, ' ')), HasSubstr("bytes long"));
}

TEST_F(ConfigReader, RefusesWhatIsNoFile) {
  EXPECT_THROW(read_model_spec(folder_ / "absent.json", warnings_), Error);
  EXPECT_THROW(read_model_spec(folder_, warnings_), Error);
}

TEST_F(ConfigReader, WarnsOfKeysItDoesNotKnow) {
  read(small_config("llama", R"("use_cache": true, "initializer_range": 0.02, "pretraining_tp": 4)"));
  EXPECT_THAT(warnings_, IsEmpty());
  read(small_config("llama", R"("num_experts": 8)"));
  ASSERT_THAT(warning_codes(), ElementsAre("unknown_field"));
  EXPECT_THAT(warnings_[0].text, HasSubstr("num_experts = 8"));
  read(small_config("llama", R"("rope_interleaved": false)"));
  EXPECT_THAT(warnings_, IsEmpty());
  read(small_config("llama", R"("rope_interleaved": true)"));
  EXPECT_THAT(warning_codes(), ElementsAre("unknown_field"));
}

TEST_F(ConfigReader, WarnsWhereFiguresBecomeUpperBounds) {
  EXPECT_EQ(read(small_config("llama", R"("torch_dtype": "float8_e4m3fn")")).native_dtype, DType::kF32);
  EXPECT_THAT(warning_codes(), ElementsAre("native_dtype"));
  const ModelSpec unknown = read(small_config("llama", R"("quantization_config": {"quant_method": "fp7"})"));
  EXPECT_THAT(warning_codes(), ElementsAre("unknown_quantization"));
  EXPECT_FALSE(unknown.quantized_weights.has_value());
}

TEST_F(ConfigReader, ReadsPublishedQuantizations) {
  const auto format_of = [&](const std::string& scheme) {
    return read(small_config("llama", R"("quantization_config": )" + scheme)).quantized_weights.value();
  };
  const WeightFormat blocks = format_of(R"({"quant_method": "fp8", "weight_block_size": [128, 64]})");
  EXPECT_EQ(blocks.quantized.name, "fp8-block");
  EXPECT_EQ(blocks.quantized.group_rows, 128);
  EXPECT_EQ(blocks.quantized.group_columns, 64);
  EXPECT_EQ(format_of(R"({"quant_method": "awq", "bits": 4, "group_size": 64})").quantized.group_columns, 64);
  // 8 bits in groups: the scale has 16 bits, the zero point 8.
  EXPECT_EQ(format_of(R"({"quant_method": "gptq", "bits": 8, "group_size": -1})").quantized.group_bits, 24);
  const WeightFormat experts =
      format_of(R"({"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]})");
  EXPECT_TRUE(experts.covered.contains(MatrixKind::kExpert));
  EXPECT_FALSE(experts.covered.contains(MatrixKind::kMlp));
  const WeightFormat channels = format_of(
      R"({"quant_method": "compressed-tensors", "ignore": ["model.layers.0.self_attn.q_proj", "vision_model.self_attn"],
          "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", "strategy": "channel"}}}})");
  EXPECT_EQ(channels.quantized.name, "fp8");
  EXPECT_FALSE(channels.covered.contains(MatrixKind::kAttention));
  EXPECT_TRUE(channels.covered.contains(MatrixKind::kMlp));
}

TEST_F(ConfigReader, ReadsTokenIds) {
  ModelSpec spec = read(small_config("llama", R"("bos_token_id": 1, "eos_token_id": [2, 3])"));
  EXPECT_EQ(spec.bos_token, 1);
  EXPECT_EQ(spec.eos_token, 2);
  spec = read(small_config("llama", R"("bos_token_id": null, "eos_token_id": 32000)"));
  EXPECT_EQ(spec.bos_token, std::nullopt);
  EXPECT_EQ(spec.eos_token, std::nullopt);  // the vocabulary holds 0 … 31999
  EXPECT_THAT(warning_codes(), ElementsAre("token_id"));
}

}  // namespace
}  // namespace dachlast
