#include "core/model/families/towers.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "core/model/families/common.h"

namespace dachlast {
namespace {

enum class LinearBias { kAbsent, kPresent };

/// Collects the tensors of a tower, part by part.
class TowerBuilder {
 public:
  void vector(std::int64_t n, std::int64_t count = 1) { tower_.tensors.push_back({n, 1, count}); }
  void matrix(std::int64_t rows, std::int64_t columns, std::int64_t count = 1) {
    tower_.tensors.push_back({rows, columns, count});
  }
  void linear(std::int64_t rows, std::int64_t columns, LinearBias bias, std::int64_t count = 1) {
    matrix(rows, columns, count);
    if (bias == LinearBias::kPresent) vector(rows, count);
  }
  /// Weights and biases of LayerNorms.
  void layer_norm(std::int64_t n, std::int64_t count = 1) { vector(n, 2 * count); }
  TowerSpec finished() { return std::move(tower_); }

 private:
  TowerSpec tower_{.name = "vision tower", .tensors = {}};
};

/// A vision transformer's sizes, however its config spells them.
struct VitSizes {
  int width;
  int d_ff;
  int n_layers;
  int patch_elements;  // numbers one patch is made of
};

constexpr int kWidestTower = 1 << 16;       // the largest known towers are 3,200 wide
constexpr int kLongestPatchSide = 1 << 10;  // pixels
constexpr int kLongestImageSide = 1 << 14;  // pixels

/// Two LayerNorms, four projections and a plain MLP per layer, biases everywhere: SigLIP, Llama 4, Qwen 3.5.
void add_vit_layers(const VitSizes& s, TowerBuilder& tower) {
  tower.layer_norm(s.width, 2 * std::int64_t{s.n_layers});
  tower.linear(s.width, s.width, LinearBias::kPresent, 4 * std::int64_t{s.n_layers});
  tower.linear(s.d_ff, s.width, LinearBias::kPresent, s.n_layers);
  tower.linear(s.width, s.d_ff, LinearBias::kPresent, s.n_layers);
}

struct MergerSizes {
  std::int64_t merged;  // numbers of the patches that become one token
  std::int64_t out;     // width of that token
};

/// Two projections that make one token of several patches: Qwen.
void add_merger(const MergerSizes& s, TowerBuilder& tower) {
  tower.linear(s.merged, s.merged, LinearBias::kPresent);
  tower.linear(s.out, s.merged, LinearBias::kPresent);
}

/// The vision config, where it is there and states all of `keys`; else a warning.
std::optional<ConfigObject> complete_vision_config(ConfigObject& config, std::initializer_list<const char*> keys) {
  std::string missing;
  if (config.has_value("vision_config")) {
    ConfigObject vision = config.object("vision_config");
    for (const char* key : keys)
      if (!vision.has_value(key)) missing = fmt::format("vision_config.{} is missing", key);
    if (missing.empty()) return vision;
  } else {
    missing = "vision_config is missing";
  }
  config.warn("vision_not_counted",
              missing + ": the vision tower is left out, and figures are those of the text model");
  return std::nullopt;
}

int square_patch(ConfigObject& vision) {
  const int side = vision.size("patch_size", kLongestPatchSide);
  const int channels = vision.size_or(vision.first_of({"num_channels", "in_channels"}), 3, 16);
  return channels * side * side;
}

int patches_per_side(ConfigObject& vision) {
  return vision.size("image_size", kLongestImageSide) / vision.size("patch_size", kLongestPatchSide);
}

}  // namespace

void read_siglip_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision = complete_vision_config(
      config, {"hidden_size", "intermediate_size", "num_hidden_layers", "patch_size", "image_size"});
  if (!vision) return;
  const VitSizes s{.width = vision->size("hidden_size", kWidestTower),
                   .d_ff = vision->size("intermediate_size", size_limit::kFfWidth),
                   .n_layers = vision->size("num_hidden_layers", size_limit::kLayers),
                   .patch_elements = square_patch(*vision)};
  const std::int64_t side = patches_per_side(*vision);
  TowerBuilder tower;
  tower.linear(s.width, s.patch_elements, LinearBias::kPresent);
  tower.matrix(side * side, s.width);  // positions
  add_vit_layers(s, tower);
  tower.layer_norm(s.width);
  tower.matrix(spec.d_model, s.width);  // projector, and the RMSNorm before it
  tower.vector(s.width);
  if (vision->flag_or("vision_use_head", false))
    config.warn("vision_not_counted", "vision_use_head is true: the pooling head is left out of the vision tower");
  spec.towers.push_back(tower.finished());
}

void read_llama4_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision = complete_vision_config(
      config, {"hidden_size", "intermediate_size", "num_hidden_layers", "patch_size", "image_size",
               "projector_input_dim", "projector_output_dim", "vision_output_dim", "pixel_shuffle_ratio"});
  if (!vision) return;
  const VitSizes s{.width = vision->size("hidden_size", kWidestTower),
                   .d_ff = vision->size("intermediate_size", size_limit::kFfWidth),
                   .n_layers = vision->size("num_hidden_layers", size_limit::kLayers),
                   .patch_elements = square_patch(*vision)};
  const std::int64_t side = patches_per_side(*vision);
  const std::int64_t inner = vision->size("projector_input_dim", kWidestTower);
  const std::int64_t outer = vision->size("projector_output_dim", kWidestTower);
  TowerBuilder tower;
  tower.matrix(s.width, s.patch_elements);
  tower.matrix(side * side + 1, s.width);  // positions, one for the class token
  tower.vector(s.width);                   // the class token
  tower.layer_norm(s.width, 2);            // before and behind the layers
  add_vit_layers(s, tower);
  tower.matrix(inner, s.d_ff);  // pixel shuffle makes tokens as wide as the MLP
  tower.matrix(outer, inner);
  tower.matrix(spec.d_model, vision->size("vision_output_dim", kWidestTower));
  spec.towers.push_back(tower.finished());
}

void read_qwen35_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision =
      complete_vision_config(config, {"hidden_size", "intermediate_size", "depth", "patch_size", "temporal_patch_size",
                                      "spatial_merge_size", "num_position_embeddings", "out_hidden_size"});
  if (!vision) return;
  const VitSizes s{.width = vision->size("hidden_size", kWidestTower),
                   .d_ff = vision->size("intermediate_size", size_limit::kFfWidth),
                   .n_layers = vision->size("depth", size_limit::kLayers),
                   .patch_elements = square_patch(*vision) * vision->size("temporal_patch_size", 16)};
  const std::int64_t side = vision->size("spatial_merge_size", 16);
  const std::int64_t merged = side * side * s.width;
  TowerBuilder tower;
  tower.linear(s.width, s.patch_elements, LinearBias::kPresent);
  tower.matrix(vision->size("num_position_embeddings", size_limit::kVocab), s.width);
  const std::int64_t out = vision->size("out_hidden_size", kWidestTower);
  add_vit_layers(s, tower);
  tower.layer_norm(s.width);  // of the merger
  add_merger({.merged = merged, .out = out}, tower);
  if (!vision->has_value("deepstack_visual_indexes")) {
    spec.towers.push_back(tower.finished());
    return;
  }
  // Qwen 3 VL: a merger of its own for each layer whose output goes to the text layers, normed behind the merge.
  for ([[maybe_unused]] const int layer : vision->count_list("deepstack_visual_indexes", size_limit::kLayers)) {
    tower.layer_norm(merged);
    add_merger({.merged = merged, .out = out}, tower);
  }
  spec.towers.push_back(tower.finished());
}

void read_qwen2_vl_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision = complete_vision_config(config, {"embed_dim", "depth", "mlp_ratio", "patch_size", "temporal_patch_size",
                                                "spatial_merge_size", "hidden_size"});
  if (!vision) return;
  const int width = vision->size("embed_dim", kWidestTower);
  const VitSizes s{
      .width = width,
      .d_ff = product_within(*vision, "mlp_ratio", width, vision->size("mlp_ratio", 64), size_limit::kFfWidth),
      .n_layers = vision->size("depth", size_limit::kLayers),
      .patch_elements = square_patch(*vision) * vision->size("temporal_patch_size", 16)};
  const std::int64_t side = vision->size("spatial_merge_size", 16);
  TowerBuilder tower;
  tower.matrix(s.width, s.patch_elements);
  add_vit_layers(s, tower);
  tower.layer_norm(s.width);
  add_merger({.merged = side * side * s.width, .out = vision->size("hidden_size", kWidestTower)}, tower);
  spec.towers.push_back(tower.finished());
}

void read_qwen25_vl_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision = complete_vision_config(
      config, {"hidden_size", "intermediate_size", "depth", "patch_size", "spatial_merge_size", "out_hidden_size"});
  if (!vision) return;
  constexpr int kFramesPerPatch = 2;  // where the config does not say
  const std::int64_t width = vision->size("hidden_size", kWidestTower);
  const std::int64_t d_ff = vision->size("intermediate_size", size_limit::kFfWidth);
  const std::int64_t n_layers = vision->size("depth", size_limit::kLayers);
  const std::int64_t side = vision->size("spatial_merge_size", 16);
  TowerBuilder tower;
  tower.matrix(width,
               std::int64_t{square_patch(*vision)} * vision->size_or("temporal_patch_size", kFramesPerPatch, 16));
  tower.vector(width, 2 * n_layers);  // two RMSNorms a layer
  tower.linear(width, width, LinearBias::kPresent, 4 * n_layers);
  tower.linear(d_ff, width, LinearBias::kPresent, 2 * n_layers);  // gate and up projection
  tower.linear(width, d_ff, LinearBias::kPresent, n_layers);
  tower.vector(width);
  add_merger({.merged = side * side * width, .out = vision->size("out_hidden_size", kWidestTower)}, tower);
  spec.towers.push_back(tower.finished());
}

void read_gemma4_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision = complete_vision_config(config, {"hidden_size", "intermediate_size", "num_hidden_layers", "patch_size",
                                                "num_attention_heads", "head_dim", "position_embedding_size"});
  if (!vision) return;
  const VitSizes s{.width = vision->size("hidden_size", kWidestTower),
                   .d_ff = vision->size("intermediate_size", size_limit::kFfWidth),
                   .n_layers = vision->size("num_hidden_layers", size_limit::kLayers),
                   .patch_elements = square_patch(*vision)};
  const int head_dim = vision->size("head_dim", size_limit::kHeadDim);
  const std::int64_t q_rows = std::int64_t{vision->size("num_attention_heads", size_limit::kHeads)} * head_dim;
  TowerBuilder tower;
  tower.matrix(s.width, s.patch_elements);
  tower.matrix(vision->size("position_embedding_size", size_limit::kVocab), s.width, 2);  // one table per direction
  tower.vector(s.width, 4 * std::int64_t{s.n_layers});                                    // sandwich norms
  tower.vector(head_dim, 2 * std::int64_t{s.n_layers});                                   // of queries and keys
  tower.matrix(q_rows, s.width, 3 * std::int64_t{s.n_layers});
  tower.matrix(s.width, q_rows, s.n_layers);
  tower.matrix(s.d_ff, s.width, 2 * std::int64_t{s.n_layers});  // gated
  tower.matrix(s.width, s.d_ff, s.n_layers);
  if (vision->flag_or("standardize", false)) tower.vector(s.width, 2);
  tower.matrix(spec.d_model, s.width);
  spec.towers.push_back(tower.finished());
}

void read_pixtral_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision = complete_vision_config(config, {"hidden_size", "intermediate_size", "num_hidden_layers", "patch_size"});
  if (!vision) return;
  const VitSizes s{.width = vision->size("hidden_size", kWidestTower),
                   .d_ff = vision->size("intermediate_size", size_limit::kFfWidth),
                   .n_layers = vision->size("num_hidden_layers", size_limit::kLayers),
                   .patch_elements = square_patch(*vision)};
  const std::int64_t side = config.size_or("spatial_merge_size", 2, 16);
  const LinearBias bias =
      config.flag_or("multimodal_projector_bias", false) ? LinearBias::kPresent : LinearBias::kAbsent;
  TowerBuilder tower;
  tower.matrix(s.width, s.patch_elements);
  tower.vector(s.width, 1 + 2 * std::int64_t{s.n_layers});  // RMSNorms, one before the layers
  tower.matrix(s.width, s.width, 4 * std::int64_t{s.n_layers});
  tower.matrix(s.d_ff, s.width, 2 * std::int64_t{s.n_layers});  // gated
  tower.matrix(s.width, s.d_ff, s.n_layers);
  tower.vector(s.width);  // of the projector: norm, merger, two projections
  tower.matrix(s.width, side * side * s.width);
  tower.linear(spec.d_model, s.width, bias);
  tower.linear(spec.d_model, spec.d_model, bias);
  spec.towers.push_back(tower.finished());
}

namespace {

/// Patches have positions, tiles of a picture too, each by the aspect ratio of the whole.
void add_mllama_positions(ConfigObject& vision, const VitSizes& s, TowerBuilder& tower) {
  const std::int64_t side = patches_per_side(vision);
  const std::int64_t patches = side * side + 1;  // one for the class token
  const std::int64_t tiles = vision.size_or("max_num_tiles", 4, 64);
  constexpr std::int64_t kRatios = 1 + 8;  // the pictures' aspect ratios all releases list, and none
  tower.matrix(patches, s.width);
  tower.matrix(kRatios, tiles * patches * s.width);
  tower.matrix(kRatios, tiles * s.width, 2);  // of tiles, before and behind the layers
  tower.vector(1, 3);                         // a gate for each of the three
}

}  // namespace

void read_mllama_tower(ConfigObject& config, ModelSpec& spec) {
  auto vision = complete_vision_config(config, {"hidden_size", "intermediate_size", "num_hidden_layers", "patch_size",
                                                "image_size", "num_global_layers", "vision_output_dim"});
  if (!vision) return;
  const int n_global = vision->size("num_global_layers", size_limit::kLayers);
  const VitSizes s{.width = vision->size("hidden_size", kWidestTower),
                   .d_ff = vision->size("intermediate_size", size_limit::kFfWidth),
                   .n_layers = vision->size("num_hidden_layers", size_limit::kLayers) + n_global,
                   .patch_elements = square_patch(*vision)};
  const auto n_cross = std::ranges::count_if(
      spec.layers, [](const LayerSpec& layer) { return attention_of(layer).qk_norm == QkNorm::kPerHead; });
  TowerBuilder tower;
  tower.matrix(s.width, s.patch_elements);
  tower.vector(s.width);  // the class token
  add_mllama_positions(*vision, s, tower);
  tower.layer_norm(s.width, 2 + 2 * std::int64_t{s.n_layers});
  tower.matrix(s.width, s.width, 4 * std::int64_t{s.n_layers});
  tower.linear(s.d_ff, s.width, LinearBias::kPresent, s.n_layers);
  tower.linear(s.width, s.d_ff, LinearBias::kPresent, s.n_layers);
  tower.vector(1, 2 * (std::int64_t{n_global} + n_cross));  // gates of both branches
  tower.linear(spec.d_model, vision->size("vision_output_dim", kWidestTower), LinearBias::kPresent);
  tower.matrix(8, spec.d_model);
  spec.towers.push_back(tower.finished());
}

}  // namespace dachlast
