#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "core/model/model_source.h"
#include "core/model/preset_catalog.h"
#include "core/model/rope.h"
#include "core/model/weights.h"

namespace dachlast {
namespace {

/// Parameters of each model's text part, tied embeddings once: sums over the shapes of its checkpoint's tensors, made
/// by a separate program and equal to the published total of each model that publishes one (exceptions below).
const std::map<std::string, double> kParameters = {
    // clang-format off
    {"codellama-34b", 33743970304},
    {"gemma-2-27b", 27227128320},
    {"gemma-2-2b", 2614341888},
    {"gemma-2-9b", 9241705984},
    {"gemma-2b", 2506172416},
    {"gemma-3-12b", 11766034176},
    {"gemma-3-1b", 999885952},
    {"gemma-3-27b", 27009346304},
    {"gemma-3-4b", 3880263168},
    {"gpt2", 124439808},
    {"gpt2-xl", 1557611200},
    {"llama-1-30b", 32528943616},
    {"llama-1-65b", 65285660672},
    {"llama-2-13b", 13015864320},
    {"llama-2-70b", 68976648192},
    {"llama-2-7b", 6738415616},
    {"llama-3-70b", 70553706496},
    {"llama-3-8b", 8030261248},
    {"llama-3.1-405b", 405853388800},
    {"llama-3.1-70b", 70553706496},
    {"llama-3.1-70b-fp8", 70553706496},
    {"llama-3.1-8b", 8030261248},
    {"llama-3.2-1b", 1235814400},
    {"llama-3.2-3b", 3212749824},
    {"mistral-7b-v0.1", 7241732096},
    {"mistral-7b-v0.3", 7248023552},
    {"mistral-nemo-12b", 12247782400},
    {"mistral-small-24b", 23572403200},
    {"opt-1.3b", 1315758080},
    {"opt-125m", 125239296},
    {"phi-2", 2779683840},
    {"phi-3-mini-4k", 3821079552},
    {"phi-3.5-mini", 3821079552},
    {"phi-4", 14659507200},
    {"phi-4-mini", 3836021760},
    {"qwen2-0.5b", 494032768},
    {"qwen2-7b", 7615616512},
    {"qwen2.5-0.5b", 494032768},
    {"qwen2.5-14b", 14770033664},
    {"qwen2.5-32b", 32763876352},
    {"qwen2.5-3b", 3085938688},
    {"qwen2.5-72b", 72706203648},
    {"qwen2.5-7b", 7615616512},
    {"qwen2.5-7b-instruct", 7615616512},
    {"qwen3-0.6b", 596049920},
    {"qwen3-1.7b", 1720574976},
    {"qwen3-14b", 14768307200},
    {"qwen3-32b", 32762123264},
    {"qwen3-32b-fp8", 32762123264},
    {"qwen3-4b", 4022468096},
    {"qwen3-8b", 8190735360},
    {"smollm2-135m", 134515008},
    {"smollm2-360m", 361821120},
    {"stories-260k", 260032},
    {"tinyllama-1.1b", 1100048384},
    {"yi-34b", 34388917248}
    // clang-format on
};

/// Published totals that count something else than the tensors of the text model, with the difference explained.
const std::map<std::string, double> kPublishedDiffers = {
    {"gemma-3-4b", 4300079472.0 - 3880263168.0},     // vision tower and projector
    {"gemma-3-12b", 12187325040.0 - 11766034176.0},  // vision tower and projector
    {"gemma-3-27b", 27432406640.0 - 27009346304.0},  // vision tower and projector
    {"opt-125m", -2.0 * 768},                        // the two padding rows of the position table are left out
    {"opt-1.3b", -2.0 * 2048},                       // the same
};

class Catalog : public testing::TestWithParam<std::pair<const std::string, double>> {};

TEST_P(Catalog, ParametersMatch) {
  const auto& [name, parameters] = GetParam();
  const ModelSource source = resolve_model(name);
  EXPECT_EQ(source.spec.name, name);
  EXPECT_EQ(parameter_count(source.spec), parameters);
  EXPECT_EQ(source.config_hash.size(), 16u);
}

TEST_P(Catalog, NoFieldIsUnknown) {
  for (const ConfigWarning& warning : resolve_model(GetParam().first).warnings)
    EXPECT_NE(warning.code, "unknown_field") << warning.text;
}

TEST_P(Catalog, FrequenciesAreSane) {
  const ModelSpec spec = resolve_model(GetParam().first).spec;
  for (const LayerSpec& layer : spec.layers) {
    if (!attention_of(layer).rope) continue;
    for (const double f : rope_inverse_frequencies(*attention_of(layer).rope, spec.max_context)) {
      EXPECT_GT(f, 0.0);
      EXPECT_LE(f, 1.0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Catalog, testing::ValuesIn(kParameters.begin(), kParameters.end()),
                         [](const auto& tested) {
                           std::string name = tested.param.first;
                           for (char& c : name)
                             if (c == '-' || c == '.') c = '_';
                           return name;
                         });

TEST(CatalogTable, ListsEveryModelOnceWithItsSource) {
  std::set<std::string> listed;
  for (const PresetInfo& preset : list_presets()) {
    EXPECT_TRUE(listed.insert(preset.name).second) << preset.name;
    EXPECT_NE(preset.title, "");
    EXPECT_NE(preset.source, "") << preset.name;
    EXPECT_EQ(preset.has_weights, preset.name == "stories-260k");
  }
  std::set<std::string> tested;
  for (const auto& [name, parameters] : kParameters) tested.insert(name);
  EXPECT_EQ(listed, tested);
}

TEST(CatalogTable, PublishedTotalsAgreeWithTheCount) {
  for (const PresetSource& source : read_preset_sources(data_dir() / "models" / "SOURCES.csv")) {
    if (!source.published_parameters) continue;
    const auto differs = kPublishedDiffers.find(source.name);
    const double difference = differs == kPublishedDiffers.end() ? 0.0 : differs->second;
    EXPECT_EQ(*source.published_parameters, kParameters.at(source.name) + difference) << source.name;
  }
}

TEST(WeightBytes, NormsAndBiasesStayFloat) {
  const ModelSpec model = resolve_model("llama-3.2-1b").spec;
  // 2 · 16 + 1 norms of 2048 stay at 4 bytes, all else takes 2.
  EXPECT_EQ(weight_bytes(model, DType::kBF16), 2.0 * (1235814400.0 - 33 * 2048) + 4.0 * 33 * 2048);
  EXPECT_EQ(weight_bytes(model, DType::kF32), 4.0 * 1235814400.0);
}

}  // namespace
}  // namespace dachlast
