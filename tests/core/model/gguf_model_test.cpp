#include "core/model/gguf_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/model/weights.h"
#include "tests/core/model/gguf_writer.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

const fs::path kSamples = fs::path(DACHLAST_TEST_DATA_DIR) / "gguf";

/// A model's GGUF header in the keys its converter writes, without data.
class ModelWriter {
 public:
  explicit ModelWriter(std::string architecture) : architecture_(std::move(architecture)) {
    writer_.text("general.architecture", architecture_);
  }
  ModelWriter& u32(const std::string& key, std::uint32_t number) {
    writer_.u32(architecture_ + "." + key, number);
    return *this;
  }
  ModelWriter& f32(const std::string& key, float number) {
    writer_.f32(architecture_ + "." + key, number);
    return *this;
  }
  ModelWriter& text(const std::string& key, std::string_view value) {
    writer_.text(architecture_ + "." + key, value);
    return *this;
  }
  ModelWriter& list(const std::string& key, const std::vector<std::int32_t>& values) {
    writer_.array(architecture_ + "." + key, GgufValueType::kI32, values);
    return *this;
  }
  ModelWriter& sizes(std::uint32_t n_layers, std::uint32_t d_model, std::uint32_t d_ff, std::uint32_t context) {
    return u32("block_count", n_layers)
        .u32("embedding_length", d_model)
        .u32("feed_forward_length", d_ff)
        .u32("context_length", context);
  }
  ModelWriter& heads(std::uint32_t n_heads, std::uint32_t n_kv_heads) {
    return u32("attention.head_count", n_heads).u32("attention.head_count_kv", n_kv_heads);
  }
  ModelWriter& head_dim(std::uint32_t dim) {
    return u32("attention.key_length", dim).u32("attention.value_length", dim);
  }
  ModelWriter& rms(float eps) { return f32("attention.layer_norm_rms_epsilon", eps); }
  ModelWriter& norm(float eps) { return f32("attention.layer_norm_epsilon", eps); }
  ModelWriter& tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t type = 30) {
    writer_.tensor(name, dims, type);
    return *this;
  }

  ModelSpec spec(std::vector<ConfigWarning>& warnings) const {
    const std::string bytes = writer_.header();
    return model_spec_from_gguf(GgufFile::in_memory(bytes_of(bytes), "sample.gguf", GgufExtent::kHeaderOnly), warnings);
  }
  std::string reason() const {
    std::vector<ConfigWarning> warnings;
    try {
      spec(warnings);
    } catch (const Error& error) {
      EXPECT_EQ(error.subject(), "sample.gguf");
      return error.reason() + " " + error.way_out();
    }
    return "";
  }

 private:
  std::string architecture_;
  GgufWriter writer_;
};

std::vector<std::string> codes(const std::vector<ConfigWarning>& warnings) {
  std::vector<std::string> list;
  for (const ConfigWarning& warning : warnings) list.push_back(warning.code);
  return list;
}

ModelWriter small_llama() {
  ModelWriter writer("llama");
  writer.sizes(2, 64, 128, 512).heads(8, 4).rms(1e-5f);
  return writer;
}

ModelWriter with_embedding(ModelWriter writer, std::uint64_t type = 30) {
  return writer.tensor("token_embd.weight", {64, 100}, static_cast<std::uint32_t>(type));
}

// -------- the same model from its config.json and from its GGUF header

void expect_same_attention(const AttentionSpec& a, const AttentionSpec& b) {
  EXPECT_EQ(a.n_heads, b.n_heads);
  EXPECT_EQ(a.n_kv_heads, b.n_kv_heads);
  EXPECT_EQ(a.head_dim, b.head_dim);
  EXPECT_EQ(a.window, b.window);
  EXPECT_DOUBLE_EQ(a.scale, b.scale);
  EXPECT_EQ(a.softcap, b.softcap);
  EXPECT_EQ(a.qkv_bias, b.qkv_bias);
  EXPECT_EQ(a.o_bias, b.o_bias);
  EXPECT_EQ(a.qk_norm, b.qk_norm);
  ASSERT_EQ(a.rope.has_value(), b.rope.has_value());
  if (!a.rope) return;
  EXPECT_EQ(a.rope->theta, b.rope->theta);
  EXPECT_EQ(a.rope->rotary_dim, b.rope->rotary_dim);
  EXPECT_EQ(a.rope->scaling.index(), b.rope->scaling.index());
}

void expect_same(const ModelSpec& a, const ModelSpec& b) {
  EXPECT_EQ(a.naming, b.naming);
  EXPECT_EQ(a.d_model, b.d_model);
  EXPECT_EQ(a.vocab_size, b.vocab_size);
  EXPECT_EQ(a.max_context, b.max_context);
  EXPECT_EQ(a.n_learned_positions, b.n_learned_positions);
  EXPECT_EQ(a.embed_scale, b.embed_scale);
  EXPECT_EQ(a.tied_embeddings, b.tied_embeddings);
  EXPECT_EQ(a.lm_head_bias, b.lm_head_bias);
  EXPECT_EQ(a.final_norm, b.final_norm);
  EXPECT_EQ(a.logit_softcap, b.logit_softcap);
  EXPECT_EQ(a.wiring, b.wiring);
  EXPECT_EQ(a.norm.kind, b.norm.kind);
  EXPECT_FLOAT_EQ(static_cast<float>(a.norm.eps), static_cast<float>(b.norm.eps));
  EXPECT_EQ(parameter_count(a), parameter_count(b));
  ASSERT_EQ(a.n_layers(), b.n_layers());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    SCOPED_TRACE(i);
    expect_same_attention(attention_of(a.layers[i]), attention_of(b.layers[i]));
    EXPECT_EQ(mlp_of(a.layers[i]).d_ff, mlp_of(b.layers[i]).d_ff);
    EXPECT_EQ(mlp_of(a.layers[i]).activation, mlp_of(b.layers[i]).activation);
    EXPECT_EQ(mlp_of(a.layers[i]).gate, mlp_of(b.layers[i]).gate);
    EXPECT_EQ(mlp_of(a.layers[i]).bias, mlp_of(b.layers[i]).bias);
  }
}

struct Twin {
  const char* preset;
  ModelWriter gguf;
};

/// Keys as ggml-org/llama.cpp:convert_hf_to_gguf.py writes them; tensors only where their presence says something.
std::vector<Twin> twins() {
  ModelWriter llama("llama"), qwen2("qwen2"), qwen3("qwen3"), gemma("gemma"), gemma2("gemma2"), gemma3("gemma3"),
      phi2("phi2"), phi3("phi3"), gpt2("gpt2");
  llama.sizes(32, 4096, 14336, 8192).heads(32, 8).rms(1e-5f).u32("vocab_size", 128256);
  llama.u32("rope.dimension_count", 128).f32("rope.freq_base", 500000.0f);
  llama.tensor("token_embd.weight", {4096, 128256}).tensor("output.weight", {4096, 128256});
  qwen2.sizes(24, 896, 4864, 32768).heads(14, 2).rms(1e-6f).f32("rope.freq_base", 1e6f);
  qwen2.tensor("token_embd.weight", {896, 151936}).tensor("blk.0.attn_q.bias", {896}, 0);
  qwen3.sizes(28, 1024, 3072, 40960).heads(16, 8).head_dim(128).rms(1e-6f).f32("rope.freq_base", 1e6f);
  qwen3.tensor("token_embd.weight", {1024, 151936}).tensor("blk.0.attn_q_norm.weight", {128}, 0);
  gemma.sizes(18, 2048, 16384, 8192).heads(8, 1).head_dim(256).rms(1e-6f);
  gemma.tensor("token_embd.weight", {2048, 256000});
  gemma2.sizes(26, 2304, 9216, 8192).heads(8, 4).head_dim(256).rms(1e-6f).u32("attention.sliding_window", 4096);
  gemma2.f32("attn_logit_softcapping", 50.0f).f32("final_logit_softcapping", 30.0f);
  gemma2.tensor("token_embd.weight", {2304, 256000});
  gemma3.sizes(26, 1152, 6912, 32768).heads(4, 1).head_dim(256).rms(1e-6f).u32("attention.sliding_window", 512);
  gemma3.f32("rope.freq_base", 1e6f).tensor("token_embd.weight", {1152, 262144});
  gemma3.tensor("blk.0.attn_q_norm.weight", {256}, 0);
  phi2.sizes(32, 2560, 10240, 2048).heads(32, 32).norm(1e-5f).u32("rope.dimension_count", 32);
  phi2.tensor("token_embd.weight", {2560, 51200}).tensor("output.weight", {2560, 51200}).tensor("output.bias", {51200});
  phi2.tensor("blk.0.attn_qkv.bias", {7680})
      .tensor("blk.0.attn_output.bias", {2560})
      .tensor("blk.0.ffn_up.bias", {10240});
  phi3.sizes(32, 3072, 8192, 4096).heads(32, 32).rms(1e-5f).u32("rope.dimension_count", 96);
  phi3.f32("rope.freq_base", 10000.0f).u32("attention.sliding_window", 2047);
  phi3.u32("rope.scaling.original_context_length", 4096);
  phi3.tensor("token_embd.weight", {3072, 32064}).tensor("output.weight", {3072, 32064});
  gpt2.sizes(12, 768, 3072, 1024).u32("attention.head_count", 12).norm(1e-5f);
  gpt2.tensor("token_embd.weight", {768, 50257}).tensor("blk.0.attn_qkv.bias", {2304});
  gpt2.tensor("blk.0.attn_output.bias", {768}).tensor("blk.0.ffn_up.bias", {3072});
  return {{"llama-3-8b", llama}, {"qwen2.5-0.5b", qwen2}, {"qwen3-0.6b", qwen3},
          {"gemma-2b", gemma},   {"gemma-2-2b", gemma2},  {"gemma-3-1b", gemma3},
          {"phi-2", phi2},       {"phi-3-mini-4k", phi3}, {"gpt2", gpt2}};
}

TEST(GgufModel, EqualsTheModelOfTheConfig) {
  for (const Twin& twin : twins()) {
    SCOPED_TRACE(twin.preset);
    std::vector<ConfigWarning> warnings;
    const ModelSpec of_gguf = twin.gguf.spec(warnings);
    const ModelSpec of_config = resolve_model(twin.preset).spec;
    expect_same(of_gguf, of_config);
    // The config of Phi-2 has its authors' older spelling.
    EXPECT_EQ(of_gguf.architecture, of_config.architecture == "phi-msft" ? "phi" : of_config.architecture);
    for (const ConfigWarning& warning : warnings) ADD_FAILURE() << warning.code << ": " << warning.text;
  }
}

// -------- real files

TEST(GgufModel, ReadsARealFile) {
  std::vector<ConfigWarning> warnings;
  const ModelSpec spec = model_spec_from_gguf(read_gguf(kSamples / "stories260K.F16.gguf"), warnings);
  EXPECT_EQ(spec.name, "llama");
  EXPECT_EQ(spec.n_layers(), 5);
  EXPECT_EQ(spec.vocab_size, 512);
  EXPECT_EQ(spec.max_context, 128);
  EXPECT_EQ(spec.native_dtype, DType::kF16);
  EXPECT_EQ(spec.bos_token, 1);
  EXPECT_EQ(spec.eos_token, 2);
  EXPECT_FALSE(spec.tied_embeddings);
  // 260032 parameters with a tied head, and here the head once more: 512 · 64.
  EXPECT_EQ(parameter_count(spec), 260032.0 + 32768.0);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(GgufModel, SaysWhereWeightsAreQuantized) {
  std::vector<ConfigWarning> warnings;
  const ModelSpec spec = model_spec_from_gguf(read_gguf(kSamples / "stories260K-pad192.Q4_0.gguf"), warnings);
  EXPECT_EQ(mlp_of(spec.layers.front()).d_ff, 192);
  EXPECT_EQ(spec.native_dtype, DType::kF16);
  EXPECT_THAT(codes(warnings), ElementsAre("quantized_weights"));
}

// 32 layers of 4096 with 32000 tokens are Llama 2 7B: 6738415616 parameters.
TEST(GgufModel, ReadsAFileWithTheVocabularyOnly) {
  std::vector<ConfigWarning> warnings;
  const ModelSpec spec = model_spec_from_gguf(read_gguf(kSamples / "ggml-vocab-llama-spm.gguf"), warnings);
  EXPECT_EQ(spec.vocab_size, 32000);
  EXPECT_EQ(parameter_count(spec), 6738415616.0);
  EXPECT_THAT(codes(warnings), ElementsAre("no_tensors"));
}

// -------- details

TEST(GgufModel, LayersMayDiffer) {
  ModelWriter writer("llama");
  writer.u32("block_count", 3).u32("embedding_length", 64).u32("context_length", 512).rms(1e-5f);
  writer.list("attention.head_count", {8, 4, 8}).list("attention.head_count_kv", {8, 2, 1});
  writer.list("feed_forward_length", {128, 256, 64}).u32("attention.key_length", 8);
  std::vector<ConfigWarning> warnings;
  const ModelSpec spec = with_embedding(writer).spec(warnings);
  EXPECT_EQ(attention_of(spec.layers[1]).n_heads, 4);
  EXPECT_EQ(attention_of(spec.layers[2]).n_kv_heads, 1);
  EXPECT_EQ(mlp_of(spec.layers[1]).d_ff, 256);
}

TEST(GgufModel, SlidingLayersMayBeListed) {
  ModelWriter writer("gemma3");
  writer.sizes(4, 64, 128, 8192).heads(8, 4).head_dim(8).rms(1e-6f).u32("attention.sliding_window", 512);
  writer.list("attention.sliding_window_pattern", {1, 0, 0, 1});
  std::vector<ConfigWarning> warnings;
  const ModelSpec spec = with_embedding(writer).spec(warnings);
  EXPECT_EQ(attention_of(spec.layers[0]).window, 512);
  EXPECT_EQ(attention_of(spec.layers[1]).window, 0);
  EXPECT_EQ(attention_of(spec.layers[0]).rope->theta, 10000.0);
  EXPECT_EQ(attention_of(spec.layers[3]).window, 512);
}

TEST(GgufModel, YarnExtendsTheContext) {
  ModelWriter writer = small_llama();
  writer.text("rope.scaling.type", "yarn").f32("rope.scaling.factor", 4.0f);
  writer.u32("rope.scaling.original_context_length", 512);
  std::vector<ConfigWarning> warnings;
  const ModelSpec spec = with_embedding(writer).spec(warnings);
  EXPECT_EQ(spec.max_context, 2048);  // 4 · 512
  EXPECT_EQ(std::get<YarnRopeScaling>(attention_of(spec.layers[0]).rope->scaling).factor, 4.0);
}

TEST(GgufModel, LinearScalingIsReadAndStoredFrequenciesAreNamed) {
  std::vector<ConfigWarning> warnings;
  ModelWriter writer = small_llama();
  writer.f32("rope.scaling.factor", 2.0f).tensor("rope_freqs.weight", {4}, 0);
  const ModelSpec spec = with_embedding(writer).spec(warnings);
  EXPECT_EQ(std::get<LinearRopeScaling>(attention_of(spec.layers[0]).rope->scaling).factor, 2.0);
  EXPECT_THAT(codes(warnings), ElementsAre("rope_factors"));
}

TEST(GgufModel, UnknownKeysAreNamedUnlessTheyAreNeutral) {
  std::vector<ConfigWarning> warnings;
  ModelWriter writer = small_llama();
  writer.u32("expert_count", 0).f32("residual_scale", 1.5f);
  with_embedding(writer).spec(warnings);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].code, "unknown_field");
  EXPECT_THAT(warnings[0].text, HasSubstr("llama.residual_scale = 1.5"));
}

TEST(GgufModel, WhatItCannotDescribeIsRefused) {
  EXPECT_THAT(with_embedding(ModelWriter("rwkv7")).reason(),
              HasSubstr("architecture \"rwkv7\" is not known here. Known: llama, qwen2"));
  EXPECT_THAT(with_embedding(small_llama().u32("ssm.state_size", 8)).reason(), HasSubstr("\"llama.ssm.state_size\""));
  EXPECT_THAT(with_embedding(small_llama().list("feed_forward_length", {1})).reason(), HasSubstr("twice"));
}

TEST(GgufModel, WrongSizesAreRefused) {
  const auto without = [] { return ModelWriter("llama"); };
  EXPECT_THAT(with_embedding(without().rms(1e-5f)).reason(), HasSubstr("\"llama.embedding_length\" is missing"));
  EXPECT_THAT(with_embedding(without()).reason(), HasSubstr("layer_norm_rms_epsilon\" is missing"));
  EXPECT_THAT(small_llama().tensor("x", {1}).reason(), HasSubstr("token_embd.weight is missing"));
  EXPECT_THAT(small_llama().tensor("token_embd.weight", {65, 100}).reason(), HasSubstr("token_embd.weight is 65 wide"));
  EXPECT_THAT(small_llama().reason(), HasSubstr("\"llama.vocab_size\" is missing"));
  const auto heads = [&](std::uint32_t n, std::uint32_t kv) {
    return with_embedding(without().sizes(2, 64, 128, 512).heads(n, kv).rms(1e-5f)).reason();
  };
  EXPECT_THAT(heads(8, 3), HasSubstr("is 3, which does not divide 8"));
  EXPECT_THAT(heads(7, 7), HasSubstr("is 7, which does not divide 64"));
  EXPECT_THAT(heads(0, 1), HasSubstr("is 0, not in 1"));
  EXPECT_THAT(heads(4'000'000'000u, 1), HasSubstr("is 4000000000, not in 1"));
  EXPECT_THAT(with_embedding(without().sizes(100'000, 64, 128, 512).heads(8, 8).rms(1e-5f)).reason(),
              HasSubstr("\"llama.block_count\" is 100000"));
  EXPECT_THAT(with_embedding(small_llama().list("rope.freq_base", {1})).reason(), HasSubstr("is no number"));
  EXPECT_THAT(with_embedding(small_llama().u32("rope.dimension_count", 16)).reason(), HasSubstr("no even part"));
  EXPECT_THAT(with_embedding(small_llama().text("rope.scaling.type", "new")).reason(),
              HasSubstr("unknown RoPE scaling"));
}

TEST(GgufModel, FilesWithoutAnArchitectureAreRefused) {
  const std::string bytes = GgufWriter().tensor("a", {1}).file();
  std::vector<ConfigWarning> warnings;
  const GgufFile file = GgufFile::in_memory(bytes_of(bytes), "sample.gguf", GgufExtent::kWholeFile);
  EXPECT_THROW(model_spec_from_gguf(file, warnings), Error);
}

}  // namespace
}  // namespace dachlast
