#include "core/planner/recipe_catalog.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/model/model_source.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

constexpr const char* kHeader =
    "model,system,precision,backend,image,isl,osl,concurrency,draft_tokens,readers,reader_tp,reader_groups,reader_ep,"
    "writers,writer_tp,writer_groups,writer_ep,since\n";

RecipeCatalog catalog_of(const std::string& lines) {
  const testing::TemporaryFolder folder;  // of its own: tests run side by side
  std::ofstream(folder / "recipes.csv") << kHeader << lines;
  return RecipeCatalog(folder / "recipes.csv");
}

ServingRow row_of(std::string image) {
  ServingRow row;
  row.model = "deepseek-ai/DeepSeek-R1";
  row.system = "b200_sxm";
  row.precision = "fp8";
  row.backend = "sglang";
  row.isl = 1024;
  row.osl = 1024;
  row.concurrency = 64;
  row.prefill.tp = 8;
  row.decode.tp = 8;
  row.image = std::move(image);
  return row;
}

TEST(RecipeCatalog, FindsInstancesAndGroupsOfARow) {
  const RecipeCatalog catalog = catalog_of(
      "DeepSeek-R1,b200,fp8,sglang,v1,1024,1024,64,0,1,1,8,8,5,8,1,8,2026-02-01\n"
      "DeepSeek-R1,b200,fp8,sglang,v2,1024,1024,64,2,1,1,8,8,4,8,1,8,2026-02-01\n");
  const RecipeReading reading = catalog.find(row_of("lmsysorg/sglang:v2"));
  ASSERT_TRUE(reading.recipe.has_value());
  EXPECT_EQ(reading.recipe->writers.n_workers, 4);
  EXPECT_EQ(reading.recipe->readers.attention_dp, 8);
  EXPECT_EQ(reading.recipe->draft_tokens, 2);
}

TEST(RecipeCatalog, TwoThatFitAreNone) {
  const RecipeCatalog catalog = catalog_of(
      "DeepSeek-R1,b200,fp8,sglang,v1,1024,1024,64,0,1,1,8,8,5,8,1,8,2026-02-01\n"
      "DeepSeek-R1,b200,fp8,sglang,v1,1024,1024,64,2,1,1,8,8,5,8,1,8,2026-02-01\n");
  const RecipeReading reading = catalog.find(row_of("lmsysorg/sglang:v1"));
  EXPECT_FALSE(reading.recipe.has_value());
  EXPECT_NE(reading.reason.find("several recipes"), std::string::npos);
}

TEST(RecipeCatalog, TheLatestBeforeTheDateCounts) {
  const RecipeCatalog catalog = catalog_of(
      "DeepSeek-R1,b200,fp8,sglang,v1,1024,1024,64,0,1,1,8,8,5,8,1,8,2026-02-01\n"
      "DeepSeek-R1,b200,fp8,sglang,v1,1024,1024,64,2,1,1,8,8,5,8,1,8,2026-02-12\n");
  ServingRow row = row_of("lmsysorg/sglang:v1");
  row.measured_date = "2026-02-07";
  EXPECT_EQ(catalog.find(row).recipe.value().draft_tokens, 0);
  row.measured_date = "2026-02-13";
  EXPECT_EQ(catalog.find(row).recipe.value().draft_tokens, 2);
}

TEST(RecipeCatalog, OtherDevicesAnInstanceDoNotFit) {
  const RecipeCatalog catalog =
      catalog_of("DeepSeek-R1,b200,fp8,sglang,v1,1024,1024,64,0,1,1,4,4,5,8,1,8,2026-02-01\n");
  EXPECT_FALSE(catalog.find(row_of("lmsysorg/sglang:v1")).recipe.has_value());
}

TEST(RecipeCatalog, TheBundledFileIsReadable) {
  const RecipeCatalog catalog(data_dir() / "recipes" / "inference_x.csv");
  ServingRow unknown = row_of("");
  unknown.model = "no such model";
  EXPECT_NE(catalog.find(unknown).reason.find("not stated"), std::string::npos);
}

}  // namespace
}  // namespace dachlast
