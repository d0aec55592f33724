#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/mapped_file.h"
#include "core/model/safetensors_header.h"

namespace dachlast {

/// A safetensors file, mapped, its header checked before anything is used.
class SafetensorsFile {
 public:
  /// Errors   throws `Error` (kInput) naming the file, the tensor where it is one's fault, and the reason.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const TensorTable& tensors() const { return tensors_; }
  /// Where a tensor's elements lie. A file may start its data at any byte: nothing is promised about alignment.
  std::span<const std::byte> bytes(const TensorInfo& tensor) const {
    return file_.bytes().subspan(data_begin_ + tensor.begin, tensor.end - tensor.begin);
  }
  const MappedFile& file() const { return file_; }
  MappedFile take_file() && { return std::move(file_); }

 private:
  MappedFile file_;
  std::size_t data_begin_ = 0;
  TensorTable tensors_;
};

/// The tensors of a model, in one file or in several with an index.
class Checkpoint {
 public:
  /// A tensor and the file that holds it; valid as long as the checkpoint.
  struct Location {
    const SafetensorsFile* file;
    const TensorInfo* tensor;
  };

  /// Opens a folder (model.safetensors, else model.safetensors.index.json, else its only .safetensors file), a
  /// .safetensors file, or an index.
  /// Errors   throws `Error` (kInput): nothing found, a shard missing, a tensor missing from its shard.
  explicit Checkpoint(const std::filesystem::path& path);

  /// nullptr where the checkpoint has no such tensor.
  const Location* find(std::string_view name) const;
  /// Every tensor, by name.
  const std::map<std::string, Location, std::less<>>& tensors() const { return tensors_; }
  /// The file the user would look into: the single file, or the index.
  const std::filesystem::path& path() const { return path_; }
  /// Hands over the mappings; tensor bytes found before stay where they are.
  std::vector<MappedFile> take_files() &&;

 private:
  void add_single_file();
  void add_shards();
  const SafetensorsFile& open_shard(const std::string& name);

  std::filesystem::path path_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Location, std::less<>> tensors_;
};

}  // namespace dachlast
