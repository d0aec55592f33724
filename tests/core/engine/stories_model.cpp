#include "tests/core/engine/stories_model.h"

#include <bit>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

const std::filesystem::path kTestData = DACHLAST_TEST_DATA_DIR;
const std::filesystem::path kGolden = kTestData / "stories260k";
const std::filesystem::path kModel = kTestData.parent_path().parent_path() / "core/model/catalog/stories-260k";

std::vector<int> shape_in(const std::string& header) {
  std::vector<int> shape;
  for (std::size_t i = header.find('(') + 1; header.at(i) != ')'; ++i)
    if (std::isdigit(static_cast<unsigned char>(header.at(i)))) {
      std::size_t length = 0;
      shape.push_back(std::stoi(header.substr(i), &length));
      i += length - 1;
    }
  return shape;
}

}  // namespace

StoriesModel open_stories(const WeightStorage& storage) {
  std::vector<ConfigWarning> warnings;
  StoriesModel model{read_model_spec(kModel / "config.json", warnings), nullptr};
  model.weights = open_weights(model.spec, kModel / "model.safetensors", storage);
  return model;
}

std::vector<GoldenRun> golden_runs() {
  std::ifstream file(kGolden / "golden.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  std::vector<GoldenRun> runs;
  for (const auto& run : golden.at("runs")) runs.push_back({run.at("prompt_ids"), run.at("greedy_ids")});
  if (runs.size() != 4) throw std::runtime_error("golden.json lists other than four runs");
  return runs;
}

NpyArray read_npy(const std::string& name) {
  static_assert(std::endian::native == std::endian::little);
  std::ifstream file(kGolden / name, std::ios::binary);
  std::string start(10, '\0');  // magic, version, header length
  file.read(start.data(), 10);
  if (!file || start.compare(0, 6, "\x93NUMPY") != 0) throw std::runtime_error("not a NumPy file: " + name);
  const int length = static_cast<unsigned char>(start[8]) + 256 * static_cast<unsigned char>(start[9]);
  std::string header(static_cast<std::size_t>(length), '\0');
  file.read(header.data(), length);
  if (header.find("'<f4'") == std::string::npos) throw std::runtime_error("not float32: " + name);
  NpyArray array{shape_in(header), {}};
  array.values.resize(std::accumulate(array.shape.begin(), array.shape.end(), std::size_t{1}, std::multiplies<>()));
  file.read(reinterpret_cast<char*>(array.values.data()), static_cast<std::streamsize>(4 * array.values.size()));
  if (!file) throw std::runtime_error("truncated: " + name);
  return array;
}

EngineOptions stories_options(const WeightStorage& weights, KvFormat kv) {
  EngineOptions options;
  options.precision = {weights.type, {kv}};
  options.weight_layout = weights.layout;
  options.capacity_tokens = 512;
  return options;
}

std::vector<std::int32_t> generate(Engine& engine, const std::vector<std::int32_t>& prompt, std::size_t n_tokens) {
  std::vector<std::int32_t> generated;
  engine.prefill(prompt);
  generated.push_back(engine.next_ids()[0]);
  while (generated.size() < n_tokens) {
    engine.decode({&generated.back(), 1});
    generated.push_back(engine.next_ids()[0]);
  }
  return generated;
}

}  // namespace dachlast
