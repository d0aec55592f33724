#include "tests/architecture/checkpoint.h"

#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

namespace dachlast::reference {
namespace {

/// FNV-1a, 64 bits.
std::uint64_t hash_of(const std::string& name) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char byte : name) value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return value;
}

/// In [-1, 1), 16 bits of SplitMix64.
double uniform(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 48) / 32768.0 - 1.0;
}

/// Matrices of variance 1 / columns, vectors 1 ± 0.25, biases 0 ± 0.25.
float scaled(const std::string& name, const Checkpoint::Shape& shape, double u) {
  if (shape.size() == 2) return static_cast<float>(u * std::sqrt(3.0 / shape[1]));
  return static_cast<float>((name.ends_with("bias") ? 0.0 : 1.0) + 0.25 * u);
}

std::size_t size_of(const Checkpoint::Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

}  // namespace

const std::vector<float>& Checkpoint::tensor(const std::string& name, const Shape& shape) {
  const auto known = tensors_.find(name);
  if (known != tensors_.end()) {
    if (known->second.shape != shape) throw std::logic_error(name + " is asked for in two shapes");
    return known->second.values;
  }
  Tensor tensor{shape, std::vector<float>(size_of(shape))};
  const std::uint64_t seed = hash_of(name);
  for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] = scaled(name, shape, uniform(seed, i));
  return tensors_.emplace(name, std::move(tensor)).first->second.values;
}

void Checkpoint::write(const std::filesystem::path& file) const {
  nlohmann::json header;
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors_) {
    const std::size_t end = offset + 4 * tensor.values.size();
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::ofstream out(file, std::ios::binary);
  const std::uint64_t length = text.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof(length));
  out << text;
  for (const auto& [name, tensor] : tensors_)
    out.write(reinterpret_cast<const char*>(tensor.values.data()),
              static_cast<std::streamsize>(4 * tensor.values.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace dachlast::reference
