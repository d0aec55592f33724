#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/model/mapped_file.h"
#include "core/model/quantization.h"

namespace dachlast {

/// Types of metadata values, numbered as in the file.
enum class GgufValueType : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kText,
  kArray,
  kU64,
  kI64,
  kF64
};

/// An array of the metadata, checked and left where it is: token lists are long and rarely asked for.
struct GgufArray {
  GgufValueType element_type;
  std::uint64_t count;
  std::span<const std::byte> bytes;  // the elements as the file holds them
};

/// A metadata value; texts and arrays are views of the file's bytes.
struct GgufValue {
  GgufValueType type;
  std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, GgufArray> value;
};

/// The value as a whole number, a number, a flag or a text; empty where it is something else, or out of range.
std::optional<std::int64_t> integer_of(const GgufValue& value);
std::optional<double> number_of(const GgufValue& value);
std::optional<bool> flag_of(const GgufValue& value);
std::optional<std::string_view> text_of(const GgufValue& value);
/// Elements of an array of integers or flags; empty where it holds anything else.
std::optional<std::vector<std::int64_t>> integers_of(const GgufArray& array);

/// One tensor as the header describes it. `dims[0]` is the length of a row, unlike in a shape of safetensors.
struct GgufTensor {
  std::string_view name;
  const GgmlType* type = nullptr;
  int n_dims = 0;
  std::array<std::uint64_t, 4> dims{1, 1, 1, 1};
  std::uint64_t offset = 0;  // from the start of the data
  std::uint64_t bytes = 0;
  std::uint64_t elements = 0;
};

/// How much of a file must be there.
enum class GgufExtent {
  kWholeFile,  // every tensor lies inside the file
  kHeaderOnly  // the data may be cut off: the first megabytes of a download are enough to plan with
};

/// Metadata and tensors of one GGUF file; views of its bytes, valid as long as these.
struct GgufHeader {
  std::span<const std::byte> file;
  std::uint32_t version = 0;
  std::uint64_t alignment = 32;
  std::uint64_t data_begin = 0;  // bytes from the start of the file
  std::map<std::string_view, GgufValue> metadata;
  std::vector<GgufTensor> tensors;  // in file order

  const GgufValue* find_value(std::string_view key) const;
  const GgufTensor* find_tensor(std::string_view name) const;
  /// Where a tensor's blocks lie; only of headers read with `kWholeFile`.
  std::span<const std::byte> bytes(const GgufTensor& tensor) const {
    return file.subspan(data_begin + tensor.offset, tensor.bytes);
  }
};

/// Reads the header of a GGUF file, versions 2 and 3, little-endian. Tensor data is never read. Time and memory are
/// bounded by the header's own length, which is limited, whatever the bytes claim.
/// Errors   throws `Error` (kInput) naming `subject` (the file), the key or tensor, and the reason; for any bytes
/// whatsoever.
/// Source   https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
GgufHeader read_gguf_header(std::span<const std::byte> file, const std::string& subject, GgufExtent extent);

/// A model in GGUF, in one file or split into several, mapped, all headers checked.
class GgufFile {
 public:
  /// A file that lies in memory already; `file` must outlive this.
  static GgufFile in_memory(std::span<const std::byte> file, const std::string& subject, GgufExtent extent);

  const std::filesystem::path& path() const { return path_; }
  /// The parts in order; the first one has the model's metadata.
  std::span<const GgufHeader> parts() const { return parts_; }
  const GgufHeader& first() const { return parts_.front(); }
  const GgufTensor* find_tensor(std::string_view name) const;
  std::size_t n_tensors() const;

 private:
  friend GgufFile read_gguf(const std::filesystem::path& path, GgufExtent extent);
  GgufFile() = default;
  void add_part(const std::filesystem::path& path, GgufExtent extent);

  std::filesystem::path path_;
  std::vector<MappedFile> files_;
  std::vector<GgufHeader> parts_;
};

/// Opens a GGUF file. Where it is one part of several ("model-00002-of-00003.gguf"), opens them all from its folder.
/// Errors   throws `Error` (kInput) naming the file: see `read_gguf_header`; a part missing or of another model.
GgufFile read_gguf(const std::filesystem::path& path, GgufExtent extent = GgufExtent::kWholeFile);

}  // namespace dachlast
