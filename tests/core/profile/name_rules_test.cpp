#include "core/profile/name_rules.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

class ShippedRules : public ::testing::Test {
 protected:
  NameRules rules_{data_dir() / "rules"};
};

TEST_F(ShippedRules, NameWhatEnginesCallTheirKernels) {
  const std::pair<const char*, KernelFamily> kernels[] = {
      {"sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x128x64", KernelFamily::kGemm},
      {"Cijk_Alik_Bljk_BBS_BH_Bias_HA_S_SAV_UserArgs_MT256x32x64", KernelFamily::kGemm},
      {"nvjet_tst_128x8_64x12_2x1_v_bz_TNT", KernelFamily::kGemm},
      {"void flash::flash_fwd_splitkv_combine_kernel<Flash_fwd_kernel_traits<128>>", KernelFamily::kAttention},
      {"void paged_attention_ll4mi_QKV_mfma16_kernel<0>", KernelFamily::kAttention},
      {"fmhaSm100aKernel_QkvBfloat16OBfloat16H128PagedKv", KernelFamily::kAttention},
      {"_matmul_ogs_NNT_bf16xbf16xmxfp4_16x128x256x1_swiglu", KernelFamily::kMoe},
      {"void vllm::reshape_and_cache_flash_kernel<__hip_bfloat16>", KernelFamily::kKvCache},
      {"_ZN5aiter24add_rmsnorm_quant_kernelIDF16b", KernelFamily::kNormalization},
      {"void vllm::rotary_embedding_kernel<c10::BFloat16, true>", KernelFamily::kRope},
      {"ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096ul>)", KernelFamily::kCommunication},
      {"void mul_mat_vec_q<(ggml_type)8, 1, false, false>", KernelFamily::kGemm},
      {"void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::ArgMaxOps<float>>>",
       KernelFamily::kSampling},
      {"a_kernel_nobody_has_heard_of", KernelFamily::kOther},
  };
  for (const auto& [name, family] : kernels) EXPECT_EQ(rules_.family_of(name), family) << name;
}

TEST_F(ShippedRules, ReadDetailedStepAnnotations) {
  const auto step = rules_.step_of("execute_32_context_0(sq0sk0sqsq0sqsk0)_generation_32(sq32sk55086sqsq32sqsk55086)");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->phase, Phase::kDecode);
  EXPECT_EQ(step->n_sequences, 32);
  EXPECT_EQ(step->q_tokens, 32);
  EXPECT_EQ(step->kv_tokens, 55086);
}

TEST_F(ShippedRules, ReadShortStepAnnotations) {
  EXPECT_EQ(rules_.step_of("step[DECODE bs=32]")->n_sequences, 32);
  EXPECT_EQ(rules_.step_of("execute_context_2(1024)_generation_0(0)")->phase, Phase::kPrefill);
  EXPECT_EQ(rules_.step_of("execute_context_2(1024)_generation_0(0)")->q_tokens, 1024);
  EXPECT_FALSE(rules_.step_of("execute_context_2(1024)_generation_4(4)")->phase);
}

TEST_F(ShippedRules, LeaveOtherAnnotationsAlone) {
  EXPECT_FALSE(rules_.step_of("ProfilerStep#6"));
  EXPECT_FALSE(rules_.step_of(""));
  EXPECT_FALSE(rules_.step_of(std::string(100'000, 'd')));
}

TEST_F(ShippedRules, ReadTheLayerOfARange) {
  const std::pair<const char*, std::int32_t> ranges[] = {
      {"layer 3", 3},
      {"Layer17", 17},
      {"decoder_layer_3", 3},
      {"model.layers.31.self_attn", 31},
      {"transformer.h.11", 11},
      {"{'Module': 'model.layers.0.mlp', 'In': [4]}", 0},
      {"FSDP::post_forward (encoder.block.1.layer.0)", 1},  // a block of T5 is made of "layers"
  };
  for (const auto& [name, layer] : ranges) EXPECT_EQ(rules_.layer_of(name), layer) << name;
  for (const char* name : {"attention", "layers", "layer_norm", "multilayer.py", "aten::layer_norm", "graph.7", "",
                           "layer 123456789", "/sglang/layers/moe/utils.py(221)"})
    EXPECT_FALSE(rules_.layer_of(name)) << name;
}

/// What is wrong with rules written so.
std::string complaint(const std::string& families, const std::string& steps, const std::string& layers = {}) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "kernel_families.csv") << "pattern,family,seen_in\n" << families;
  std::ofstream(folder / "step_names.csv") << "pattern,phase,sequences,queries,keys,seen_in\n" << steps;
  std::ofstream(folder / "layer_names.csv") << "pattern,layer,seen_in\n" << layers;
  try {
    const NameRules rules(folder.path());
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(NameRules, RefuseWhatTheyCannotUse) {
  EXPECT_EQ(complaint("gemm,gemm,x\n", "decode,decode,,,,x\n"), "");
  EXPECT_NE(complaint("gemm,matrices,x\n", "").find("no family"), std::string::npos);
  EXPECT_NE(complaint(",gemm,x\n", "").find("empty pattern"), std::string::npos);
  EXPECT_NE(complaint("", "(,decode,,,,x\n").find("regular expression"), std::string::npos);
  EXPECT_NE(complaint("", "decode,later,,,,x\n").find("no phase"), std::string::npos);
  EXPECT_NE(complaint("", "decode,decode,1,,,x\n").find("no group"), std::string::npos);
  EXPECT_EQ(complaint("", "", "block(\\d+),1,x\n"), "");
  EXPECT_NE(complaint("", "", "block(\\d+),2,x\n").find("no group"), std::string::npos);
  EXPECT_NE(complaint("", "", "block(\\d+),,x\n").find("names no group"), std::string::npos);
  EXPECT_NE(complaint("", "", "(,1,x\n").find("regular expression"), std::string::npos);
}

}  // namespace
}  // namespace dachlast
