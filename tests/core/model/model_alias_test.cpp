#include "core/model/model_alias.h"

#include <gmock/gmock.h>

#include "core/base/csv.h"
#include "core/base/error.h"
#include "core/model/model_source.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

const std::vector<PresetSource>& catalog() {
  static const std::vector<PresetSource> all = read_preset_catalog(data_dir() / "models");
  return all;
}

std::string found(std::string_view text, std::optional<double> parameters = {}) {
  return preset_for_model_text(text, catalog(), parameters).value_or("-");
}

struct Named {
  std::string text;
  std::string preset;  // "-": none
};

/// Names as hubs, logs, GGUF files and Ollama spell them, written by hand; those of models that are no preset end in "-".
std::vector<Named> read_names() {
  std::vector<Named> names;
  for (const CsvRow& row : read_csv(DACHLAST_TEST_DATA_DIR "/models/names.csv").rows)
    names.push_back({row.cells.at(0), row.cells.at(1)});
  return names;
}

TEST(ModelAlias, KnowsTheNamesPeopleWrite) {
  const std::vector<Named> names = read_names();
  ASSERT_GT(names.size(), 450u);
  for (const Named& named : names) EXPECT_EQ(found(named.text), named.preset) << named.text;
}

TEST(ModelAlias, EveryPresetIsFoundByItsNameAndItsHubName) {
  for (const PresetSource& source : catalog()) {
    if (source.name.empty()) continue;
    EXPECT_EQ(found(source.name), source.name);
    if (source.hf_id.empty()) continue;
    EXPECT_NE(found(source.hf_id), "-") << source.hf_id;
  }
}

TEST(ModelAlias, EveryAliasGivesItsReasonAndIsFound) {
  for (const PresetSource& source : catalog())
    for (const PresetAlias& alias : source.aliases) {
      EXPECT_NE(alias.reason, "") << alias.name;
      EXPECT_EQ(found(alias.name), source.name.empty() ? "-" : source.name) << alias.name;
    }
}

TEST(ModelAlias, LeavesOutPublisherTuningDateAndDataType) {
  EXPECT_EQ(found("Meta_Llama_3.1_8b_it"), "llama-3.1-8b");
  EXPECT_EQ(found("LLaMA v3.1 8B"), "llama-3.1-8b");
  EXPECT_EQ(found("unsloth_DeepSeek R1 BF16"), "deepseek-r1");
}

TEST(ModelAlias, SaysWhyAndWhichDataTypeWasNamed) {
  const auto match = match_preset("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", catalog());
  ASSERT_TRUE(match);
  EXPECT_EQ(match->preset, "llama-3.1-70b");
  EXPECT_THAT(match->reason, HasSubstr("litgpt"));
  EXPECT_EQ(match->data_type, "fp8");
}

TEST(ModelAlias, ParametersDecideWhereNoSizeIsNamed) {
  EXPECT_EQ(found("LLaMA v2", 13.016e9), "llama-2-13b");
  EXPECT_EQ(found("LLaMA v2"), "-");
  EXPECT_EQ(found("Qwen1.5", 111.2e9), "qwen1.5-110b");  // no published total: the size in the name, within 15 %
}

TEST(ModelAlias, RevisionsAreNeverMixedUp) {
  EXPECT_EQ(found("Mistral-7B-Instruct-v0.2"), "mistral-7b-v0.2");
  EXPECT_EQ(found("Mistral-7B-Instruct-v0.4"), "-");
  EXPECT_EQ(found("Mixtral-8x7B-Instruct-v0.1"), "mixtral-8x7b");
}

TEST(ModelAlias, DatesTellModelsOfOneNameApart) {
  EXPECT_EQ(found("Mistral-Small-Instruct-2409"), "mistral-small-22b");
  EXPECT_EQ(found("Mistral-Small-Instruct-2501"), "mistral-small-24b");
  EXPECT_EQ(found("Mistral-Small-Instruct"), "-");
}

TEST(ModelAlias, RemarksCountWhereTheNameAloneSaysTooLittle) {
  EXPECT_EQ(found("DeepSeek R1 (general.name not in excerpt)"), "deepseek-r1");
  EXPECT_EQ(found("Qwen3 (size not in retrieved text; weights match 30B-A3B bf16)"), "qwen3-30b-a3b");
}

TEST(PresetCatalog, AliasesMustPointToPresets) {
  const TempFolder folder;
  folder.write("SOURCES.csv", "name,title,hf_id,source,published_parameters,parameters_source\ngpt2,GPT-2,,here,,\n");
  folder.write("ALIASES.csv", "name,preset,reason\nsmall,gpt2,so\nother,-,not so\n");
  const auto sources = read_preset_catalog(folder.path());
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(sources[0].aliases.at(0).name, "small");
  EXPECT_EQ(sources[1].name, "");
  folder.write("ALIASES.csv", "name,preset,reason\nsmall,gpt3,so\n");
  EXPECT_THROW(read_preset_catalog(folder.path()), Error);
  folder.write("ALIASES.csv", "name,preset\nsmall,gpt2\n");
  EXPECT_THROW(read_preset_catalog(folder.path()), Error);
}

}  // namespace
}  // namespace dachlast
