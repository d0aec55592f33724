// Every family against an independent forward pass in double precision, and that one against Hugging Face Transformers.
// The cases are the folders of tests/data/architectures: odd sizes, small windows, every wiring.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/engine/engine.h"
#include "core/model/model_source.h"
#include "tests/architecture/reference_model.h"

namespace dachlast {
namespace {

using nlohmann::json;
using reference::Rows;
namespace fs = std::filesystem;

const fs::path kCases = fs::path(DACHLAST_TEST_DATA_DIR) / "architectures";

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kCases))
    if (entry.is_directory()) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

json read_json(const fs::path& file) {
  std::ifstream in(file);
  return json::parse(in);
}

/// As in make_golden.py.
std::vector<std::int32_t> token_ids(int count, int vocab_size) {
  std::vector<std::int32_t> ids;
  std::uint32_t state = 1;
  for (int i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    ids.push_back(static_cast<std::int32_t>((state >> 8) % static_cast<std::uint32_t>(vocab_size)));
  }
  return ids;
}

/// A folder that lives as long as the test.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_(fs::temp_directory_path() / ("dachlast-" + name + "-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Architecture : public testing::TestWithParam<std::string> {
 protected:
  Architecture()
      : config_(read_json(kCases / GetParam() / "config.json")),
        n_tokens_(config_.at("dachlast_test_tokens")),
        vocab_size_(config_.at("vocab_size")),
        ids_(token_ids(n_tokens_, vocab_size_)),
        expected_(reference::logits_of(config_, checkpoint_, ids_)) {}

  /// Reads the case as a user's files would be read.
  std::unique_ptr<Weights> open(ModelSpec& model, DType precision) const {
    const TemporaryFolder folder(GetParam());
    checkpoint_.write(folder.path() / "model.safetensors");
    std::vector<ConfigWarning> warnings;
    model = read_model_spec(kCases / GetParam() / "config.json", warnings);
    return open_weights(model, folder.path() / "model.safetensors", precision);
  }

  EngineOptions options(Precision precision) const {
    EngineOptions options;
    options.precision = precision;
    options.capacity_tokens = n_tokens_;
    options.logits = LogitsFor::kAllTokens;
    return options;
  }

  /// Largest distance of one row of logits from the reference.
  double distance(std::span<const float> row, int position) const {
    double largest = 0.0;
    for (int i = 0; i < vocab_size_; ++i) {
      const double difference = std::abs(row[static_cast<std::size_t>(i)] - expected_.row(position)[i]);
      largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
    }
    return largest;
  }

  std::span<const float> row(std::span<const float> logits, int position) const {
    return logits.subspan(static_cast<std::size_t>(position * vocab_size_), static_cast<std::size_t>(vocab_size_));
  }

  json config_;
  int n_tokens_;
  int vocab_size_;
  std::vector<std::int32_t> ids_;
  reference::Checkpoint checkpoint_;
  Rows expected_;
};

// Logits are of order 1 to 7 and pass through 2 to 4 layers of sums over at most 106 terms rounded to 2^-24: the error
// of float stays below 1e-5. EachPartDoneWrongIsSeen shows what
// mistakes do.
constexpr double kTolerance = 5e-5;

TEST_P(Architecture, ReferenceAgreesWithTransformers) {
  const json golden = read_json(kCases / GetParam() / "golden.json");
  const auto positions = golden.at("positions").get<std::vector<int>>();
  ASSERT_EQ(positions.size(), 3u);
  for (std::size_t i = 0; i < positions.size(); ++i)
    for (int id = 0; id < vocab_size_; ++id)
      ASSERT_NEAR(expected_.row(positions[i])[id],
                  golden.at("logits").at(i).at(static_cast<std::size_t>(id)).get<double>(), 1e-9)
          << "position " << positions[i] << ", id " << id;
}

TEST_P(Architecture, PrefillAgreesWithTheReference) {
  ModelSpec model;
  const auto weights = open(model, DType::kF32);
  Engine engine(model, *weights, options({DType::kF32, {KvFormat::kF32}}));
  const auto logits = engine.prefill(ids_, LogitsFor::kAllTokens);
  for (int t = 0; t < n_tokens_; ++t) EXPECT_LT(distance(row(logits, t), t), kTolerance) << "position " << t;
}

TEST_P(Architecture, DecodeAgreesWithTheReference) {
  ModelSpec model;
  const auto weights = open(model, DType::kF32);
  Engine engine(model, *weights, options({DType::kF32, {KvFormat::kF32}}));
  EXPECT_LT(distance(engine.prefill(std::span(ids_).first(3)), 2), kTolerance);
  for (int t = 3; t < n_tokens_; ++t)
    EXPECT_LT(distance(engine.decode({&ids_[static_cast<std::size_t>(t)], 1}), t), kTolerance) << "position " << t;
}

TEST_P(Architecture, Bf16StaysNear) {
  ModelSpec model;
  const auto weights = open(model, DType::kBF16);
  Engine engine(model, *weights, options({DType::kBF16, {KvFormat::kBF16}}));
  const auto logits = engine.prefill(ids_, LogitsFor::kAllTokens);
  // Each of the weights, cached rows and activations is off by up to 2^-9 of itself; over a dozen products the logits,
  // of order 1, move by a few times 0.01.
  double squares = 0.0;
  for (int t = 0; t < n_tokens_; ++t) squares += std::pow(distance(row(logits, t), t), 2.0);
  EXPECT_LT(std::sqrt(squares / n_tokens_), 0.25);
}

/// Attention of a layer, where it is the plain kind; else one that has no part to do wrong.
AttentionSpec& plain_attention_of(LayerSpec& layer) {
  static AttentionSpec none;
  none = {};
  auto* attention = std::get_if<AttentionSpec>(&layer.mixer);
  return attention != nullptr ? *attention : none;
}

MlaSpec* latent_attention_of(LayerSpec& layer) {
  return std::get_if<MlaSpec>(&layer.mixer);
}

/// One part of a block done wrong. Returns whether the model has that part.
using Mistake = bool (*)(ModelSpec&);

constexpr Mistake kMistakes[] = {
    [](ModelSpec& m) {
      int& window = plain_attention_of(m.layers[0]).window;
      return window > 0 && ++window > 0;
    },
    [](ModelSpec& m) { return std::exchange(plain_attention_of(m.layers[0]).softcap, 0.0) > 0.0; },
    [](ModelSpec& m) { return (plain_attention_of(m.layers[0]).scale *= 1.1) > 0.0; },
    [](ModelSpec& m) { return std::exchange(m.embed_scale, 1.0) != 1.0; },
    [](ModelSpec& m) { return std::exchange(m.norm.weight_offset, 0.0) != 0.0; },
    [](ModelSpec& m) { return std::exchange(m.learned_position_offset, 0) != 0; },
    [](ModelSpec& m) { return std::exchange(m.logit_softcap, 0.0) > 0.0; },
    [](ModelSpec& m) {
      std::optional<RopeSpec>& rope = plain_attention_of(m.layers.back()).rope;
      return rope && !std::holds_alternative<std::monostate>(std::exchange(rope->scaling, {}));
    },
    [](ModelSpec& m) {
      std::optional<RopeSpec>& rope = plain_attention_of(m.layers[0]).rope;
      return rope && (rope->theta *= 2.0) > 0.0;
    },
    [](ModelSpec& m) {
      MlaSpec* latent = latent_attention_of(m.layers[0]);
      return latent != nullptr && (latent->scale *= 1.1) > 0.0;
    },
    [](ModelSpec& m) {
      MlaSpec* latent = latent_attention_of(m.layers[0]);
      return latent != nullptr && (latent->rope.theta *= 2.0) > 0.0;
    },
    [](ModelSpec& m) {
      MlaSpec* latent = latent_attention_of(m.layers[0]);
      return latent != nullptr && std::exchange(latent->rope.pairs, RopePairs::kHalves) == RopePairs::kNeighbours;
    },
    [](ModelSpec& m) {
      const Activation other =
          mlp_of(m.layers[0]).activation == Activation::kRelu ? Activation::kSilu : Activation::kRelu;
      return std::exchange(mlp_of(m.layers[0]).activation, other) != other;
    }};

TEST_P(Architecture, EachPartDoneWrongIsSeen) {
  ModelSpec model;
  const auto weights = open(model, DType::kF32);
  for (std::size_t i = 0; i < std::size(kMistakes); ++i) {
    ModelSpec wrong = model;
    if (!kMistakes[i](wrong)) continue;
    Engine engine(wrong, *weights, options({DType::kF32, {KvFormat::kF32}}));
    const auto logits = engine.prefill(ids_, LogitsFor::kAllTokens);
    double largest = 0.0;
    for (int t = 0; t < n_tokens_; ++t) largest = std::max(largest, distance(row(logits, t), t));
    EXPECT_GT(largest, 20 * kTolerance) << "mistake " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Architecture, testing::ValuesIn(case_names()), [](const auto& name) {
  std::string text = name.param;
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
});

}  // namespace
}  // namespace dachlast
