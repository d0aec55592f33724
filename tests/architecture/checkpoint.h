#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dachlast::reference {

/// A checkpoint whose tensors come into being when they are asked for: the value at an index is a hash of tensor name
/// and index, the same as in make_golden.py. What the reference model has asked for is the checkpoint; whatever else
/// the program under test looks for is then missing, and found missing.
class Checkpoint {
 public:
  using Shape = std::vector<int>;

  /// Values as stored, rounded to float; row-major.
  const std::vector<float>& tensor(const std::string& name, const Shape& shape);

  /// Writes every tensor so far as float32 into a safetensors file.
  void write(const std::filesystem::path& file) const;

 private:
  struct Tensor {
    Shape shape;
    std::vector<float> values;
  };
  std::map<std::string, Tensor> tensors_;
};

}  // namespace dachlast::reference
