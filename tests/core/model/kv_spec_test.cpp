#include "core/model/kv_spec.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"

namespace dachlast {
namespace {

KvSpec spec_of(const char* text) {
  return parse_kv_spec("--kv", text);
}

TEST(KvSpec, NamesLayoutAndFormatInAnyOrder) {
  EXPECT_EQ(spec_of("contiguous"), KvSpec{});
  EXPECT_EQ(spec_of("paged"), (KvSpec{.layout = KvPolicy::kPaged, .block_size = 16}));
  EXPECT_EQ(spec_of("paged:32,int8"),
            (KvSpec{.layout = KvPolicy::kPaged, .block_size = 32, .format = KvFormat::kInt8}));
  EXPECT_EQ(spec_of("int8,paged:32"), spec_of("paged:32,int8"));
  EXPECT_EQ(spec_of("window:100"), (KvSpec{.layout = KvPolicy::kWindow, .window = 100}));
  EXPECT_EQ(spec_of("sink:4+1020,fp8"),
            (KvSpec{.layout = KvPolicy::kSink, .window = 1020, .n_sinks = 4, .format = KvFormat::kFp8}));
  EXPECT_EQ(spec_of("bf16"), (KvSpec{.format = KvFormat::kBF16}));
  EXPECT_EQ(spec_of("offload:host"), (KvSpec{.layout = KvPolicy::kPaged, .block_size = 256, .tier = KvTier::kHost}));
  EXPECT_EQ(spec_of("offload:file:32,int8"),
            (KvSpec{.layout = KvPolicy::kPaged, .block_size = 32, .format = KvFormat::kInt8, .tier = KvTier::kFile}));
  EXPECT_EQ(spec_of("recompute:100"), (KvSpec{.layout = KvPolicy::kPaged, .block_size = 16, .recompute_keep = 100}));
  EXPECT_EQ(spec_of("none"), (KvSpec{.layout = KvPolicy::kNone}));
}

TEST(KvSpec, ScalesAlongChannelsComeInBlocks) {
  const KvSpec spec = spec_of("int4:channel");
  EXPECT_EQ(spec.layout, KvPolicy::kPaged);
  EXPECT_EQ(spec.block_size, 32);
  EXPECT_EQ(spec.key_scales, KeyScales::kPerChannel);
  EXPECT_EQ(spec_of("paged:64,int8:channel").block_size, 64);
}

TEST(KvSpec, TextReadsBack) {
  for (const char* text :
       {"contiguous", "paged:16", "window:100", "sink:4+1020", "none", "contiguous,int8", "paged:32,int4:channel",
        "sink:4+60,fp8", "offload:host:256", "offload:file:8,fp8", "offload:host:32,int4:channel", "recompute:7"}) {
    EXPECT_EQ(text_of(spec_of(text)), text);
    EXPECT_EQ(spec_of(text_of(spec_of(text)).c_str()), spec_of(text));
  }
}

TEST(KvSpec, RefusesWhatItCannotRead) {
  for (const char* text : {"",
                           "pages",
                           "paged:",
                           "paged:0",
                           "paged:-1",
                           "paged:99999999999",
                           "paged:16x",
                           "window",
                           "window:0",
                           "sink:4",
                           "sink:0+4",
                           "sink:4+",
                           "contiguous:4",
                           "int8,int4",
                           "paged,window:4",
                           "int8:token",
                           "bf16:channel",
                           "window:64,int8:channel",
                           "contiguous,int8:channel",
                           "none,int8",
                           "offload",
                           "offload:disk",
                           "offload:host:0",
                           "offload:file:",
                           "offload:host,paged",
                           "recompute",
                           "recompute:0",
                           "recompute:9,int8:channel",
                           "paged,,int8",
                           ","}) {
    try {
      spec_of(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_EQ(error.subject(), std::string("--kv ") + text);
      EXPECT_FALSE(error.way_out().empty());
    }
  }
}

TEST(KvSpec, PoolsHoldWhatIsAskedFor) {
  const KvRoom room{.max_sequences = 3, .capacity_tokens = 100, .max_step_tokens = 10};
  const auto shape = [&](const char* text, KvRoom of) { return kv_pool_shape(spec_of(text), of); };
  EXPECT_EQ(shape("contiguous", room).n_blocks, 3);
  EXPECT_EQ(shape("contiguous", room).block_size, 100);
  EXPECT_EQ(shape("paged:16", room).n_blocks, 21);      // 3 · ⌈100 / 16⌉
  EXPECT_EQ(shape("window:20", room).block_size, 29);   // 20 − 1 + 10
  EXPECT_EQ(shape("sink:4+20", room).block_size, 33);   // and 4
  EXPECT_EQ(shape("window:95", room).block_size, 100);  // no longer than the text
  EXPECT_EQ(shape("paged:16", {.capacity_tokens = 100, .n_blocks = 5}).n_blocks, 5);
}

TEST(KvSpec, ARingStepsNoFurtherThanItsWindow) {
  EXPECT_EQ(longest_step(spec_of("paged"), 2048), 2048);
  EXPECT_EQ(longest_step(spec_of("window:512"), 2048), 512);
  EXPECT_EQ(longest_step(spec_of("window:16"), 2048), 128);
  EXPECT_EQ(longest_step(spec_of("window:16"), 64), 64);
}

TEST(KvSpec, ARingNarrowsWhatLayersSee) {
  ModelSpec model;
  for (const int window : {0, 64, 1024}) {
    AttentionSpec attention;
    attention.window = window;
    model.layers.push_back({attention, {}});
  }
  const ModelSpec narrowed = with_reach(model, spec_of("sink:4+256"));
  EXPECT_EQ(attention_of(narrowed.layers[0]).window, 256);
  EXPECT_EQ(attention_of(narrowed.layers[0]).n_sink_tokens, 4);
  EXPECT_EQ(attention_of(narrowed.layers[1]).window, 64);
  EXPECT_EQ(attention_of(narrowed.layers[1]).n_sink_tokens, 0);
  EXPECT_EQ(attention_of(narrowed.layers[2]).window, 256);
  EXPECT_EQ(attention_of(narrowed.layers[2]).n_sink_tokens, 0);  // it did not see the first tokens before
  EXPECT_EQ(attention_of(with_reach(model, spec_of("paged")).layers[0]).window, 0);
}

}  // namespace
}  // namespace dachlast
