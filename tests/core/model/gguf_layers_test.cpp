#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"
#include "core/model/gguf_file_weights.h"
#include "core/model/gguf_model.h"
#include "core/model/weights.h"
#include "tests/core/model/gguf_twin.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

/// A file of two blocks of width 64, 8 heads and 4 KV heads of 8, as its converter would write it.
class SmallFile {
 public:
  explicit SmallFile(std::string architecture) : architecture_(std::move(architecture)) {
    writer_.text("general.architecture", architecture_);
    u32("block_count", 2).u32("embedding_length", 64).u32("context_length", 4096);
    writer_.f32(architecture_ + ".attention.layer_norm_rms_epsilon", 1e-6f);
    tensor("token_embd.weight", {64, 100}).tensor("output_norm.weight", {64}).tensor("output.weight", {64, 100});
  }
  SmallFile& u32(const std::string& key, std::uint32_t value) {
    writer_.u32(architecture_ + "." + key, value);
    return *this;
  }
  SmallFile& list(const std::string& key, const std::vector<std::int32_t>& values) {
    writer_.array(architecture_ + "." + key, GgufValueType::kI32, values);
    return *this;
  }
  SmallFile& tensor(const std::string& name, const std::vector<std::uint64_t>& dims) {
    writer_.tensor(name, dims, 30);
    return *this;
  }
  SmallFile& heads() { return u32("attention.head_count", 8).u32("attention.head_count_kv", 4); }
  SmallFile& attention(int block) {
    return in(block, "attn_norm.weight", {64})
        .in(block, "attn_q.weight", {64, 64})
        .in(block, "attn_k.weight", {64, 32})
        .in(block, "attn_v.weight", {64, 32})
        .in(block, "attn_output.weight", {64, 64});
  }
  SmallFile& mlp(int block) {
    return in(block, "ffn_norm.weight", {64})
        .in(block, "ffn_gate.weight", {64, 96})
        .in(block, "ffn_up.weight", {64, 96})
        .in(block, "ffn_down.weight", {96, 64});
  }
  SmallFile& experts(int block) {
    return in(block, "ffn_norm.weight", {64})
        .in(block, "ffn_gate_inp.weight", {64, 6})
        .in(block, "ffn_gate_exps.weight", {64, 24, 6})
        .in(block, "ffn_up_exps.weight", {64, 24, 6})
        .in(block, "ffn_down_exps.weight", {24, 64, 6});
  }
  SmallFile& routing() { return u32("expert_count", 6).u32("expert_used_count", 2); }
  SmallFile& in(int block, const std::string& name, const std::vector<std::uint64_t>& dims) {
    return tensor("blk." + std::to_string(block) + "." + name, dims);
  }

  ModelSpec spec() const {
    std::vector<ConfigWarning> warnings;
    const std::string bytes = writer_.header();
    return model_spec_from_gguf(GgufFile::in_memory(bytes_of(bytes), "sample.gguf", GgufExtent::kHeaderOnly), warnings);
  }
  std::string reason() const {
    try {
      spec();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(error.subject(), "sample.gguf");
      return error.reason() + " " + error.way_out();
    }
    return "";
  }
  std::string header() const { return writer_.header(); }

 private:
  std::string architecture_;
  GgufWriter writer_;
};

SmallFile routed(const std::string& architecture) {
  SmallFile file(architecture);
  file.heads().routing();
  file.attention(0).experts(0).attention(1).experts(1);
  return file;
}

const MoeSpec& experts_of(const ModelSpec& spec, std::size_t layer) {
  return std::get<MoeSpec>(spec.layers.at(layer).feed_forward);
}

// -------- what tensors say

TEST(GgufLayers, ExpertsAreCountedInTheirTensors) {
  for (const char* architecture : {"qwen3moe", "olmoe", "granitemoe", "grok", "llama"}) {
    SCOPED_TRACE(architecture);
    const ModelSpec spec = routed(architecture).spec();
    EXPECT_EQ(experts_of(spec, 1).n_experts, 6);
    EXPECT_EQ(experts_of(spec, 1).n_active, 2);
    EXPECT_EQ(experts_of(spec, 1).d_ff, 24);
    EXPECT_EQ(experts_of(spec, 1).shared_d_ff, 0);
    EXPECT_EQ(experts_of(spec, 1).gate, Gate::kGated);
    EXPECT_THAT(missing_kernels(spec).value_or(""), HasSubstr("routed experts"));
  }
  EXPECT_EQ(routed("llama").spec().architecture, "mixtral");
}

TEST(GgufLayers, ExpertsOfOldFilesLieApart) {
  SmallFile file("llama");
  file.heads().routing();
  for (const int block : {0, 1}) {
    file.attention(block).in(block, "ffn_norm.weight", {64}).in(block, "ffn_gate_inp.weight", {64, 6});
    for (int expert = 0; expert < 6; ++expert) {
      const std::string number = "." + std::to_string(expert) + ".weight";
      file.in(block, "ffn_gate" + number, {64, 24}).in(block, "ffn_up" + number, {64, 24});
      file.in(block, "ffn_down" + number, {24, 64});
    }
  }
  EXPECT_EQ(experts_of(file.spec(), 0).d_ff, 24);
  EXPECT_EQ(parameter_count(file.spec()), parameter_count(routed("llama").spec()));
}

TEST(GgufLayers, ADenseMlpBesideExpertsIsAShared) {
  SmallFile file = routed("grok");
  file.in(0, "ffn_gate.weight", {64, 96}).in(0, "ffn_up.weight", {64, 96}).in(0, "ffn_down.weight", {96, 64});
  EXPECT_EQ(experts_of(file.spec(), 0).shared_d_ff, 96);
  EXPECT_EQ(experts_of(file.spec(), 1).shared_d_ff, 0);
}

TEST(GgufLayers, QueriesKeysAndValuesMayShareAMatrix) {
  SmallFile file("qwen3moe");
  file.heads().routing();
  for (const int block : {0, 1})
    file.in(block, "attn_qkv.weight", {64, 128}).in(block, "attn_output.weight", {64, 64}).experts(block);
  EXPECT_EQ(parameter_count(file.spec()), parameter_count(routed("qwen3moe").spec()));
}

TEST(GgufLayers, StateSpacesNeedNoHeads) {
  SmallFile one("mamba");
  one.u32("ssm.conv_kernel", 4).u32("ssm.inner_size", 128).u32("ssm.state_size", 16).u32("ssm.time_step_rank", 4);
  SmallFile two("mamba2");
  two.u32("ssm.conv_kernel", 4).u32("ssm.inner_size", 128).u32("ssm.state_size", 16).u32("ssm.time_step_rank", 8);
  two.u32("ssm.group_count", 2).u32("attention.head_count", 0);
  for (const int block : {0, 1}) {
    one.in(block, "ssm_in.weight", {64, 256}).in(block, "ssm_conv1d.weight", {4, 128});
    one.in(block, "ssm_x.weight", {128, 36});  // 4 + 2 · 16
    // 2 · 128 + 2 · 2 · 16 + 8 rows; 128 + 2 · 2 · 16 channels.
    two.in(block, "ssm_in.weight", {64, 328}).in(block, "ssm_conv1d.weight", {4, 192});
  }
  EXPECT_EQ(std::get<Mamba1Spec>(one.spec().layers[1].mixer).dt_rank, 4);
  EXPECT_EQ(std::get<Mamba2Spec>(two.spec().layers[1].mixer).head_dim, 16);
  EXPECT_FALSE(has_feed_forward(two.spec().layers[1]));
}

TEST(GgufLayers, LayersForDraftingStandBehindTheOthers) {
  SmallFile file = routed("glm4moe");
  file.u32("nextn_predict_layers", 1);
  EXPECT_EQ(file.spec().n_layers(), 1);
  EXPECT_FALSE(file.spec().mtp.has_value());  // stated, and not in the file
  file.in(1, "nextn.eh_proj.weight", {128, 64});
  EXPECT_EQ(file.spec().mtp.value().layers.size(), 1u);
}

TEST(GgufLayers, CachesMayBeSharedAndLayersHaveInputsOfTheirOwn) {
  SmallFile file("gemma4");
  file.heads().u32("attention.sliding_window", 512).list("attention.sliding_window_pattern", {1, 1});
  file.u32("attention.shared_kv_layers", 1).u32("embedding_length_per_layer_input", 16);
  file.attention(0).mlp(0).attention(1).mlp(1).tensor("per_layer_token_embd.weight", {32, 90});
  const ModelSpec spec = file.spec();
  EXPECT_EQ(std::get<AttentionSpec>(spec.layers[1].mixer).shares_kv_with, 0);
  EXPECT_EQ(spec.per_layer_inputs.value().vocab_size, 90);
  EXPECT_EQ(spec.per_layer_inputs.value().d_input, 16);
}

// -------- the tensors themselves

TEST(GgufLayers, LlamaCppLoadsAllButTheLayersForDrafting) {
  SmallFile file = routed("glm4moe");
  file.u32("nextn_predict_layers", 1).in(1, "nextn.eh_proj.weight", {128, 64});
  const std::string header = file.header();
  const GgufFile read = GgufFile::in_memory(bytes_of(header), "sample.gguf", GgufExtent::kHeaderOnly);
  const GgufWeights weights = gguf_file_weights(read, 1);
  EXPECT_EQ(weights.origin, MixOrigin::kFile);
  // attention 64 + 2 · 64 · 64 + 2 · 64 · 32, experts 64 + 64 · 6 + 3 · 64 · 24 · 6, two bytes each.
  EXPECT_EQ(weights.layer_bytes(0), 2 * (64 + 8192 + 4096 + 64 + 384 + 27648));
  EXPECT_EQ(weights.layer_bytes(1), 0);
  EXPECT_EQ(weights.embedding_bytes(), 2 * 64 * 100);
  EXPECT_EQ(weights.head_bytes(), 2 * (64 * 100 + 64));
  EXPECT_EQ(weights.tensors[3].shape.name, "attn_norm");
}

// -------- contradictions

TEST(GgufLayers, TensorsThatContradictTheKeysAreRefused) {
  EXPECT_THAT(
      SmallFile("qwen3moe").heads().u32("expert_count", 8).u32("expert_used_count", 2).attention(0).experts(0).reason(),
      HasSubstr("\"qwen3moe.expert_count\" is 8, but routers choose among 6"));
  EXPECT_THAT(routed("qwen3moe").u32("expert_feed_forward_length", 32).reason(),
              HasSubstr("is 32, but the tensors of block 0 are 24 wide"));
  EXPECT_THAT(
      SmallFile("qwen3moe").heads().u32("expert_count", 6).u32("expert_used_count", 7).attention(0).experts(0).reason(),
      HasSubstr("is 7, not in 1 … 6"));
  SmallFile narrow("qwen3moe");
  narrow.u32("attention.head_count", 8).u32("attention.head_count_kv", 2).routing().attention(0).experts(0);
  EXPECT_THAT(narrow.reason(), HasSubstr("tensor blk.0.attn_k.weight holds 2048 elements, but"));
  EXPECT_THAT(routed("nemotron_h_moe").in(0, "ffn_latent_down.weight", {64, 16}).reason(),
              HasSubstr("ffn_latent_down.weight lets experts work on less"));
}

TEST(GgufLayers, MissingTensorsAreRefused) {
  EXPECT_THAT(SmallFile("qwen3moe").heads().routing().reason(), HasSubstr("block 0 has no tensors of attention"));
  EXPECT_THAT(SmallFile("qwen3moe").heads().routing().attention(0).reason(),
              HasSubstr("block 0 has no tensors of a feed-forward"));
  EXPECT_THAT(SmallFile("nemotron_h").heads().mlp(0).reason(), HasSubstr("block 0 has no tensors of attention"));
  EXPECT_THAT(SmallFile("qwen3moe").heads().routing().attention(0).in(0, "ffn_gate_inp.weight", {64, 6}).reason(),
              HasSubstr("tensor blk.0.ffn_down_exps.weight is missing"));
  EXPECT_THAT(routed("glm4moe").u32("nextn_predict_layers", 2).reason(), HasSubstr("is 2 of 2 blocks"));
}

TEST(GgufLayers, AFileWithoutTensorsSaysTooLittle) {
  GgufWriter writer;
  writer.text("general.architecture", "qwen3moe").u32("qwen3moe.block_count", 2).u32("qwen3moe.vocab_size", 100);
  writer.u32("qwen3moe.embedding_length", 64).u32("qwen3moe.context_length", 4096);
  writer.u32("qwen3moe.attention.head_count", 8).f32("qwen3moe.attention.layer_norm_rms_epsilon", 1e-6f);
  const std::string bytes = writer.header();
  const GgufFile file = GgufFile::in_memory(bytes_of(bytes), "sample.gguf", GgufExtent::kHeaderOnly);
  std::vector<ConfigWarning> warnings;
  try {
    model_spec_from_gguf(file, warnings);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.reason(), HasSubstr("it has no tensors, which alone say how layers of \"qwen3moe\" are built"));
    EXPECT_THAT(error.way_out(), HasSubstr("config.json"));
  }
}

}  // namespace
}  // namespace dachlast
