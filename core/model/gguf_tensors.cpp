#include "core/model/gguf_tensors.h"

#include <fmt/core.h>

#include "core/base/error.h"

namespace dachlast {

GgufTensors::GgufTensors(const GgufFile& file) : subject_(file.path().string()) {
  by_name_.reserve(file.n_tensors());
  for (const GgufHeader& part : file.parts())
    for (const GgufTensor& tensor : part.tensors) by_name_.emplace(tensor.name, &tensor);
}

const GgufTensor* GgufTensors::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::string GgufLayerTensors::full_name(std::string_view name) const {
  return fmt::format("blk.{}.{}", layer_, name);
}

const GgufTensor& GgufLayerTensors::get(std::string_view name) const {
  const GgufTensor* tensor = find(name);
  if (tensor == nullptr) fail(name, "is missing");
  return *tensor;
}

int GgufLayerTensors::size(std::string_view name, std::size_t dim, int limit) const {
  const std::uint64_t extent = get(name).dims[dim];
  if (extent == 0 || extent > static_cast<std::uint64_t>(limit))
    fail(name, fmt::format("has an extent of {}, not in 1 … {}", extent, limit));
  return static_cast<int>(extent);
}

void GgufLayerTensors::expect(std::string_view name, std::int64_t columns, std::int64_t rows) const {
  const GgufTensor& tensor = get(name);
  if (tensor.elements != static_cast<std::uint64_t>(columns) * static_cast<std::uint64_t>(rows))
    fail(name, fmt::format("holds {} elements, but the metadata describes {} × {}", tensor.elements, columns, rows));
}

void GgufLayerTensors::fail(std::string_view name, const std::string& reason) const {
  throw Error(ErrorKind::kInput, all_.subject(), fmt::format("tensor {} {}.", full_name(name), reason),
              "Is the file whole, and of the program that wrote its metadata?");
}

}  // namespace dachlast
