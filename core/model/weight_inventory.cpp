#include "core/model/weight_inventory.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace dachlast {
namespace {

using Words = std::vector<std::string_view>;

Words split(std::string_view name) {
  Words words;
  while (true) {
    const std::size_t dot = name.find('.');
    words.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return words;
    name.remove_prefix(dot + 1);
  }
}

template <std::size_t n>
bool any_of(const Words& words, const std::array<std::string_view, n>& wanted) {
  return std::ranges::any_of(words,
                             [&](std::string_view word) { return std::ranges::find(wanted, word) != wanted.end(); });
}

std::optional<int> number_in(std::string_view word) {
  int number = 0;
  for (const char c : word) {
    if (c < '0' || c > '9' || number > 1'000'000) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return word.empty() ? std::nullopt : std::optional(number);
}

// Words that published checkpoints use between the dots of a tensor's name.
constexpr std::array<std::string_view, 9> kOtherModels = {
    "visual", "vision_model", "vision_tower", "audio_tower", "audio_model", "v", "mm", "a", "mtp"};
constexpr std::array<std::string_view, 5> kLayerLists = {"layers", "layer", "h", "blocks", "blk"};
constexpr std::array<std::string_view, 11> kEmbeddings = {
    "embed_tokens",   "wte",        "wpe",           "embed_positions", "word_embeddings", "embed_in",
    "tok_embeddings", "token_embd", "position_embd", "token_types",     "token_embedding"};
constexpr std::array<std::string_view, 3> kHeads = {"lm_head", "embed_out", "output"};

/// Number behind the first word that begins a list of layers.
std::optional<int> layer_of(const Words& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if (std::ranges::find(kLayerLists, words[i]) != kLayerLists.end())
      if (const auto number = number_in(words[i + 1])) return number;
  return std::nullopt;
}

void set_place(WeightEntry& entry) {
  const Words words = split(entry.name);
  if (any_of(words, kOtherModels)) return;
  if (const auto layer = layer_of(words)) {
    entry.place = WeightPlace::kLayer;
    entry.layer = *layer;
  } else if (any_of(words, kEmbeddings)) {
    entry.place = WeightPlace::kEmbedding;
  } else if (any_of(words, kHeads)) {
    entry.place = WeightPlace::kHead;
  }
}

/// The files' own sizes bound every sum: it stays far below 64 bits.
void add(WeightInventory& inventory, WeightEntry entry) {
  set_place(entry);
  auto found = std::ranges::find(inventory.by_type, entry.type, &WeightTypeTotal::type);
  if (found == inventory.by_type.end()) found = inventory.by_type.insert(found, {.type = entry.type});
  ++found->n_tensors;
  found->elements += entry.elements;
  found->bytes += entry.bytes;
  inventory.elements += entry.elements;
  inventory.bytes += entry.bytes;
  inventory.entries.push_back(std::move(entry));
}

WeightInventory finished(WeightInventory inventory) {
  std::ranges::stable_sort(inventory.by_type, std::ranges::greater{}, &WeightTypeTotal::bytes);
  return inventory;
}

/// The header checked that shape and bytes agree, so the product is bounded wherever no extent is 0.
std::uint64_t element_count(const std::vector<std::uint64_t>& shape) {
  if (std::ranges::find(shape, 0u) != shape.end()) return 0;
  std::uint64_t n = 1;
  for (const std::uint64_t extent : shape) n *= extent;
  return n;
}

}  // namespace

std::string_view name_of(WeightPlace place) {
  switch (place) {
    case WeightPlace::kEmbedding: return "embedding";
    case WeightPlace::kLayer: return "layer";
    case WeightPlace::kHead: return "head";
    case WeightPlace::kOther: return "other";
  }
  return "";
}

WeightInventory weight_inventory(const GgufFile& file) {
  WeightInventory inventory;
  inventory.path = file.path();
  for (const GgufHeader& part : file.parts())
    for (const GgufTensor& tensor : part.tensors)
      add(inventory, {.name = std::string(tensor.name),
                      .type = tensor.type->name,
                      .elements = tensor.elements,
                      .bytes = tensor.bytes});
  return finished(std::move(inventory));
}

WeightInventory weight_inventory(const Checkpoint& checkpoint) {
  WeightInventory inventory;
  inventory.path = checkpoint.path();
  for (const auto& [name, location] : checkpoint.tensors()) {
    const TensorInfo& tensor = *location.tensor;
    add(inventory, {.name = name,
                    .type = tensor.type->name,
                    .elements = element_count(tensor.shape),
                    .bytes = tensor.end - tensor.begin});
  }
  return finished(std::move(inventory));
}

WeightInventory weight_inventory(const std::filesystem::path& path) {
  if (path.extension() == ".gguf") return weight_inventory(read_gguf(path));
  return weight_inventory(Checkpoint(path));
}

}  // namespace dachlast
