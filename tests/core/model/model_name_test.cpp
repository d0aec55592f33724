#include "core/model/model_name.h"

#include <gmock/gmock.h>

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ModelName, SortsWordsByWhatTheyMean) {
  const ModelName name = take_apart("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8");
  EXPECT_THAT(name.names, ElementsAre("qwen"));
  EXPECT_THAT(name.versions, ElementsAre("3"));
  EXPECT_THAT(name.sizes, ElementsAre("235b", "a22b"));
  EXPECT_THAT(name.dates, ElementsAre("2507"));
  EXPECT_EQ(name.data_type, "fp8");
}

TEST(ModelName, KnowsTheTypesOfGgufFiles) {
  for (const char* file : {"gemma-3-12b-it-qat-q4_0-gguf", "Gemma 3 12B-it.Q4_K_M.gguf", "gemma-3-12b-UD-IQ2_XXS"}) {
    const ModelName name = take_apart(file);
    EXPECT_THAT(name.names, ElementsAre("gemma")) << file;
    EXPECT_THAT(name.versions, ElementsAre("3")) << file;
    EXPECT_NE(name.data_type, "") << file;
  }
}

TEST(ModelName, BitsAndGroupsAreNoSizes) {
  const ModelName name = take_apart("Llama-2-13B-GPTQ-4bit-128g");
  EXPECT_THAT(name.sizes, ElementsAre("13b"));
  EXPECT_THAT(name.versions, ElementsAre("2"));
}

TEST(ModelName, UnderscoresStandForDotsBetweenSingleDigits) {
  EXPECT_THAT(take_apart("Llama-3_3-Nemotron").versions, ElementsAre("3.3"));
  EXPECT_THAT(take_apart("internlm2_5-7b").versions, ElementsAre("2.5"));
  EXPECT_THAT(take_apart("llama_2_70b").versions, ElementsAre("2"));
  EXPECT_THAT(take_apart("llama_2_70b").sizes, ElementsAre("70b"));
}

TEST(ModelName, MonthsBeforeYearsAreDates) {
  EXPECT_THAT(take_apart("c4ai-command-a-03-2025").dates, ElementsAre("03", "2025"));
  EXPECT_THAT(take_apart("c4ai-command-a-03-2025").versions, IsEmpty());
}

TEST(ModelName, ContextsAreNoSizes) {
  EXPECT_THAT(take_apart("Phi-3-mini-128k-instruct").contexts, ElementsAre("128k"));
  EXPECT_THAT(take_apart("Qwen2.5-7B-Instruct-1M").sizes, ElementsAre("7b"));
}

TEST(ModelName, WordsThatMakeAnotherModel) {
  for (const char* word : {"vl", "mini", "coder", "3n", "e4b", "embedding"})
    EXPECT_TRUE(makes_another_model(word)) << word;
  for (const char* word : {"lexi", "abliterated", "nemotron"}) EXPECT_FALSE(makes_another_model(word)) << word;
}

}  // namespace
}  // namespace dachlast
