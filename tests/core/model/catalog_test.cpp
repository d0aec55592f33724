#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/csv.h"
#include "core/model/model_source.h"
#include "core/model/preset_catalog.h"
#include "core/model/rope.h"
#include "core/model/weights.h"

namespace dachlast {
namespace {

/// One model of tests/data/models/parameters.csv: sums over the shapes of its checkpoint's tensors, made by a separate
/// program, of the text model without MTP layers.
struct Row {
  std::string name;
  double parameters;
  double active;  // all but the experts a token is not routed to
  std::optional<double> published;
};

/// MiMo V2's row leaves out what its checkpoint holds under self_attn.attention_sink_bias: one number per head in each of
/// the 39 sliding layers, 39 · 64; gpt-oss's rows count the same tensors. Its active parameters also lack the
/// routers' correction biases, 47 · 256, which every other row counts as active.
constexpr double kMimoSinks = 39 * 64;
constexpr double kMimoCorrections = 47 * 256;

std::vector<Row> read_rows() {
  std::vector<Row> rows = {{"stories-260k", 260032, 260032, {}},
                           {"llama-1-30b", 32528943616, 32528943616, {}},
                           {"llama-1-65b", 65285660672, 65285660672, {}}};
  for (const CsvRow& record : read_csv(DACHLAST_TEST_DATA_DIR "/models/parameters.csv").rows) {
    const std::vector<std::string>& cells = record.cells;
    Row row{cells[0], std::stod(cells[1]), std::stod(cells[2]), {}};
    if (!cells[3].empty()) row.published = std::stod(cells[3]);
    if (row.name == "mimo-v2-flash") {
      row.parameters += kMimoSinks;
      row.active += kMimoSinks + kMimoCorrections;
    }
    rows.push_back(row);
  }
  return rows;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = read_rows();
  return all;
}

/// Published totals that count something else than text model, MTP layers and towers, with the difference explained.
const std::map<std::string, double> kPublishedDiffers = {
    {"opt-125m", -2.0 * 768},             // the two padding rows of the position table are left out
    {"opt-1.3b", -2.0 * 2048},            // the same
    {"deepseek-v3", 41540496},            // the FP8 checkpoint's scales, one per block of 128 × 128
    {"minimax-m2.5", 62.0 * 223872},      // the same: 864 · 256 of the experts and 2688 of attention in each layer
    {"falcon-7b", 65024.0 * 4544},        // the checkpoint stores the tied head a second time
    {"mixtral-8x22b", 2 * 768.0 * 6144},  // of the variant with 32,768 tokens instead of 32,000
    {"nemotron-3-nano-30b-a3b", -23 * 128.0},  // the routers' correction biases are left out
    {"llama-4-scout-17b-16e", 871932416},      // vision tower: this config has no vision_config; llama-4-scout-fp8 has
    {"llama-4-maverick-17b-128e", 871932416},  // the same
    {"qwen3.5-27b", -424699392},               // the MTP layer is left out
    {"qwen3.5-35b-a3b", -844640768},           // the same
    {"kimi-k2", 3416},                         // not explained: 56 numbers a layer
    {"smollm3-3b", 36 * 64.0},       // of 36 layers 64 numbers, as many as RoPE has frequencies; none is stored
    {"gemma-4-26b-a4b", 194063824},  // published in whole billions
};

std::string name_of_row(const testing::TestParamInfo<Row>& tested) {
  std::string name = tested.param.name;
  for (char& c : name)
    if (c == '-' || c == '.') c = '_';
  return name;
}

class Catalog : public testing::TestWithParam<Row> {};

TEST_P(Catalog, ParametersMatch) {
  const Row& row = GetParam();
  const ModelSource source = resolve_model(row.name);
  EXPECT_EQ(source.spec.name, row.name);
  EXPECT_EQ(parameter_count(source.spec), row.parameters);
  EXPECT_EQ(active_parameter_count(source.spec), row.active);
  EXPECT_EQ(source.config_hash.size(), 16u);
}

TEST_P(Catalog, NoFieldIsUnknown) {
  for (const ConfigWarning& warning : resolve_model(GetParam().name).warnings)
    EXPECT_NE(warning.code, "unknown_field") << warning.text;
}

TEST_P(Catalog, FrequenciesAreSane) {
  const ModelSpec spec = resolve_model(GetParam().name).spec;
  for (const LayerSpec& layer : spec.layers) {
    const auto* attention = std::get_if<AttentionSpec>(&layer.mixer);
    const auto* mla = std::get_if<MlaSpec>(&layer.mixer);
    const RopeSpec* rope = mla ? &mla->rope : attention && attention->rope ? &*attention->rope : nullptr;
    if (rope == nullptr) continue;
    for (const double f : rope_inverse_frequencies(*rope, spec.max_context)) {
      EXPECT_GT(f, 0.0);
      EXPECT_LE(f, 1.0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Catalog, testing::ValuesIn(rows()), name_of_row);

TEST(CatalogTable, ListsEveryModelOnceWithItsSource) {
  std::set<std::string> listed;
  for (const PresetInfo& preset : list_presets()) {
    EXPECT_TRUE(listed.insert(preset.name).second) << preset.name;
    EXPECT_NE(preset.title, "");
    EXPECT_NE(preset.source, "") << preset.name;
    EXPECT_EQ(preset.has_weights, preset.name == "stories-260k");
  }
  std::set<std::string> tested;
  for (const Row& row : rows()) tested.insert(row.name);
  EXPECT_EQ(listed, tested);
}

std::vector<Row> published_rows() {
  std::vector<Row> published = rows();
  std::erase_if(published, [](const Row& row) { return !row.published; });
  return published;
}

class Published : public testing::TestWithParam<Row> {};

TEST_P(Published, TotalIsExplained) {
  const Row& row = GetParam();
  const ModelSpec spec = resolve_model(row.name).spec;
  const auto differs = kPublishedDiffers.find(row.name);
  const double difference = differs == kPublishedDiffers.end() ? 0.0 : differs->second;
  EXPECT_EQ(parameter_count(spec) + extra_parameter_count(spec) + difference, *row.published);
}

INSTANTIATE_TEST_SUITE_P(Models, Published, testing::ValuesIn(published_rows()), name_of_row);

TEST(CatalogTable, SourcesNameTheSameTotals) {
  std::map<std::string, double> published;
  for (const PresetSource& source : read_preset_sources(data_dir() / "models" / "SOURCES.csv"))
    if (source.published_parameters) published[source.name] = *source.published_parameters;
  for (const Row& row : rows())
    if (row.published) {
      EXPECT_EQ(published[row.name], *row.published) << row.name;
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
