#include "core/model/weight_inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "tests/core/model/checkpoint_writer.h"
#include "tests/core/model/gguf_writer.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

const fs::path kData = DACHLAST_TEST_DATA_DIR;

std::uint64_t bytes_in(const WeightInventory& inventory, WeightPlace place) {
  std::uint64_t bytes = 0;
  for (const WeightEntry& entry : inventory.entries)
    if (entry.place == place) bytes += entry.bytes;
  return bytes;
}

const WeightEntry& entry_of(const WeightInventory& inventory, std::string_view name) {
  for (const WeightEntry& entry : inventory.entries)
    if (entry.name == name) return entry;
  throw std::out_of_range(std::string(name));
}

// 512 tokens and a head of its own, 64 wide; 5 layers of q, o 64 × 64, k, v 64 × 32, three matrices 64 × 192 and two
// norms of 64: 65536 + 5 · (8192 + 4096 + 36864 + 128) + 64 = 312000 elements.
TEST(WeightInventory, CountsAQuantizedFileToTheByte) {
  const WeightInventory inventory = weight_inventory(kData / "gguf/stories260K-pad192.Q4_0.gguf");
  EXPECT_EQ(inventory.entries.size(), 48u);
  EXPECT_EQ(inventory.elements, 312000u);
  // head 32768 / 32 · 34 in Q8_0, 11 norms of 64 in F32, the rest / 32 · 18 in Q4_0.
  ASSERT_EQ(inventory.by_type.size(), 3u);
  EXPECT_EQ(inventory.by_type[0].type, "Q4_0");
  EXPECT_EQ(inventory.by_type[0].bytes, (312000u - 32768u - 704u) / 32u * 18u);
  EXPECT_EQ(inventory.by_type[1].type, "Q8_0");
  EXPECT_EQ(inventory.by_type[1].bytes, 34816u);
  EXPECT_EQ(inventory.by_type[2].type, "F32");
  EXPECT_EQ(inventory.by_type[2].n_tensors, 11u);
  // The file: 208544 bytes, of which 14240 are its header; nothing lies between the tensors.
  EXPECT_EQ(inventory.bytes, 208544u - 14240u);
  EXPECT_EQ(inventory.source, "exact");
}

TEST(WeightInventory, SortsGgufTensorsIntoPlaces) {
  const WeightInventory inventory = weight_inventory(kData / "gguf/stories260K.F16.gguf");
  EXPECT_EQ(bytes_in(inventory, WeightPlace::kEmbedding), 512u * 64u * 2u);
  EXPECT_EQ(bytes_in(inventory, WeightPlace::kHead), 512u * 64u * 2u);
  EXPECT_EQ(bytes_in(inventory, WeightPlace::kOther), 64u * 4u);  // output_norm
  EXPECT_EQ(entry_of(inventory, "blk.3.ffn_down.weight").layer, 3);
  EXPECT_EQ(entry_of(inventory, "output_norm.weight").layer, -1);
}

// 260032 parameters in 2 bytes, however many files they are in; the head is tied and not stored.
TEST(WeightInventory, CountsSafetensorsWhereverTheyLie) {
  for (const char* path : {"stories260k/model.bf16.safetensors", "stories260k/sharded",
                           "stories260k/sharded/model.safetensors.index.json"}) {
    const WeightInventory inventory = weight_inventory(kData / path);
    EXPECT_EQ(inventory.elements, 260032u) << path;
    EXPECT_EQ(inventory.bytes, 520064u) << path;
    EXPECT_EQ(bytes_in(inventory, WeightPlace::kEmbedding), 65536u) << path;
    EXPECT_EQ(bytes_in(inventory, WeightPlace::kHead), 0u) << path;
    EXPECT_EQ(entry_of(inventory, "model.layers.4.mlp.up_proj.weight").layer, 4) << path;
    EXPECT_EQ(inventory.by_type.size(), 1u) << path;
  }
}

TEST(WeightInventory, NamesOfOtherFamiliesFindTheirPlaces) {
  const TempFolder folder;
  const fs::path file = folder.write(
      "model.safetensors",
      f32_checkpoint({test_tensor("transformer.wte.weight", {4, 2}),
                      test_tensor("transformer.h.11.attn.c_attn.weight", {2, 6}),
                      test_tensor("visual.blocks.3.attn.qkv.weight", {2, 2}), test_tensor("lm_head.weight", {4, 2}),
                      test_tensor("embed_out.weight", {1}), test_tensor("mtp.layers.0.fc.weight", {1}),
                      test_tensor("model.layers.x.weight", {1})}));
  const WeightInventory inventory = weight_inventory(file);
  EXPECT_EQ(entry_of(inventory, "transformer.wte.weight").place, WeightPlace::kEmbedding);
  EXPECT_EQ(entry_of(inventory, "transformer.h.11.attn.c_attn.weight").layer, 11);
  EXPECT_EQ(entry_of(inventory, "visual.blocks.3.attn.qkv.weight").place, WeightPlace::kOther);
  EXPECT_EQ(entry_of(inventory, "lm_head.weight").place, WeightPlace::kHead);
  EXPECT_EQ(entry_of(inventory, "embed_out.weight").place, WeightPlace::kHead);
  EXPECT_EQ(entry_of(inventory, "mtp.layers.0.fc.weight").place, WeightPlace::kOther);
  EXPECT_EQ(entry_of(inventory, "model.layers.x.weight").place, WeightPlace::kOther);
  EXPECT_EQ(inventory.bytes, (8u + 12u + 4u + 8u + 3u) * 4u);
}

TEST(WeightInventory, AddsThePartsOfASplitFile) {
  const TempFolder folder;
  const auto part = [](std::uint16_t number, std::string_view tensor) {
    return GgufWriter()
        .value("split.no", 2, raw(number))
        .value("split.count", 2, raw<std::uint16_t>(2))
        .tensor(tensor, {256, 3}, 12)
        .file();
  };
  folder.write("m-00001-of-00002.gguf", part(0, "blk.0.ffn_up.weight"));
  const fs::path second = folder.write("m-00002-of-00002.gguf", part(1, "blk.1.ffn_up.weight"));
  EXPECT_EQ(weight_inventory(second).bytes, 2u * 3u * 144u);
}

TEST(WeightInventory, WhatIsNotThereIsRefused) {
  EXPECT_THROW(weight_inventory(kData / "gguf/none.gguf"), Error);
  EXPECT_THROW(weight_inventory(kData / "gguf/weight-inspect-tiny.gguf"), Error);  // its data is cut off
}

}  // namespace
}  // namespace dachlast
