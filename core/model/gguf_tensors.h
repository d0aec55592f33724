#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/model/gguf.h"

namespace dachlast {

/// The tensors of a GGUF file by name. They say what no key does: which layers have experts, biases, norms.
class GgufTensors {
 public:
  /// `file` must outlive this.
  explicit GgufTensors(const GgufFile& file);

  const GgufTensor* find(const std::string& name) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  bool empty() const { return by_name_.empty(); }
  const std::string& subject() const { return subject_; }

 private:
  std::string subject_;
  std::unordered_map<std::string_view, const GgufTensor*> by_name_;
};

/// The tensors of one layer, named as behind "blk.N.": "attn_q.weight".
/// Errors   getters throw `Error` (kInput) naming file and tensor where it is missing or of another size.
class GgufLayerTensors {
 public:
  GgufLayerTensors(const GgufTensors& all, int layer) : all_(all), layer_(layer) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  const GgufTensor* find(std::string_view name) const { return all_.find(full_name(name)); }
  /// Length and number of rows; the number of equal matrices.
  int columns(std::string_view name, int limit) const { return size(name, 0, limit); }
  int rows(std::string_view name, int limit) const { return size(name, 1, limit); }
  int matrices(std::string_view name, int limit) const { return size(name, 2, limit); }
  /// Refuses a tensor of another number of elements: the metadata describes another model.
  void expect(std::string_view name, std::int64_t columns, std::int64_t rows) const;
  [[noreturn]] void fail(std::string_view name, const std::string& reason) const;

 private:
  std::string full_name(std::string_view name) const;
  const GgufTensor& get(std::string_view name) const;
  int size(std::string_view name, std::size_t dim, int limit) const;

  const GgufTensors& all_;
  int layer_;
};

}  // namespace dachlast
