#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace dachlast {

/// "length of the header, header, data", as the format begins.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes.append(header).append(data);
}

/// A tensor of a small made-up checkpoint.
struct TestTensor {
  std::string name;
  std::vector<int> shape;
  std::vector<float> values;
};

/// Element i of the tensor with this name: different in every tensor, exact in float.
inline float test_value(std::string_view name, std::size_t index) {
  unsigned sum = 0;
  for (const char c : name) sum = (sum * 31 + static_cast<unsigned char>(c)) % 8191;
  return static_cast<float>(sum) + static_cast<float>(index) / 1024.0f;
}

inline TestTensor test_tensor(std::string name, std::vector<int> shape) {
  std::size_t n = 1;
  for (const int extent : shape) n *= static_cast<std::size_t>(extent);
  TestTensor tensor{std::move(name), std::move(shape), std::vector<float>(n)};
  for (std::size_t i = 0; i < n; ++i) tensor.values[i] = test_value(tensor.name, i);
  return tensor;
}

/// Bytes of an F32 file whose data begins `misalignment_bytes` behind a multiple of 8.
inline std::string f32_checkpoint(const std::vector<TestTensor>& tensors, std::size_t misalignment_bytes = 0) {
  std::string header = R"({"__metadata__":{"format":"pt"})";
  std::string data;
  for (const TestTensor& tensor : tensors) {
    const std::size_t n_bytes = tensor.values.size() * sizeof(float);
    header += fmt::format(R"(,"{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})", tensor.name,
                          fmt::join(tensor.shape, ","), data.size(), data.size() + n_bytes);
    data.append(reinterpret_cast<const char*>(tensor.values.data()), n_bytes);
  }
  header += "}";
  while (header.size() % 8 != misalignment_bytes) header += ' ';
  return safetensors_bytes(header, data);
}

}  // namespace dachlast
