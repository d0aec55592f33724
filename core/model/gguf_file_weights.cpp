#include "core/model/gguf_file_weights.h"

#include <charconv>
#include <utility>

namespace dachlast {
namespace {

struct PlacedName {
  int layer = -1;
  std::string_view name;  // without "blk.N." and ".weight"
};

PlacedName placed(std::string_view name) {
  PlacedName result{.name = name};
  constexpr std::string_view kBlock = "blk.";
  constexpr std::string_view kWeight = ".weight";
  if (name.starts_with(kBlock)) {
    const char* first = name.data() + kBlock.size();
    const char* last = name.data() + name.size();
    const auto [end, error] = std::from_chars(first, last, result.layer);
    if (error == std::errc() && end != last && *end == '.')
      result.name.remove_prefix(static_cast<std::size_t>(end + 1 - name.data()));
    else
      result.layer = -1;
  }
  if (result.name.ends_with(kWeight)) result.name.remove_suffix(kWeight.size());
  return result;
}

}  // namespace

GgufWeights gguf_file_weights(const GgufFile& file, int n_layers) {
  auto names = std::make_shared<std::set<std::string>>();
  GgufWeights weights{.tensors = {}, .origin = MixOrigin::kFile};
  for (const GgufHeader& part : file.parts())
    for (const GgufTensor& tensor : part.tensors) {
      const PlacedName place = placed(tensor.name);
      if (place.layer >= n_layers) continue;
      const GgufTensorShape shape{.name = *names->emplace(place.name).first,
                                  .layer = place.layer,
                                  .columns = static_cast<std::int64_t>(tensor.dims[0]),
                                  .rows = static_cast<std::int64_t>(tensor.dims[1]),
                                  .count = static_cast<std::int64_t>(tensor.dims[2] * tensor.dims[3])};
      weights.tensors.push_back({shape, tensor.type});
    }
  weights.names = std::move(names);
  return weights;
}

}  // namespace dachlast
