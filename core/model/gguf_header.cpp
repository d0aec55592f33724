#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "core/model/gguf.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read in place");

// Limits, each several times what any published file has; they bound what a hostile header can cost.
constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{512} << 20;  // large vocabularies take 10 to 40 MiB
constexpr std::uint64_t kMaxKeys = 1 << 16;
constexpr std::uint64_t kMaxTensors = 1 << 18;       // 61 layers of 256 experts of 3 matrices make 47 000
constexpr std::uint64_t kMaxKeyBytes = 65535;        // of the format
constexpr std::uint64_t kMaxTensorNameBytes = 1024;  // 64 in the format; some programs are built for longer names
constexpr std::uint64_t kMaxAlignment = 1 << 20;
constexpr std::uint64_t kMaxDataBytes = std::uint64_t{1} << 60;  // so that no sum of sizes or elements leaves 64 bits
constexpr int kMaxArrayDepth = 4;

// The least a metadata entry takes: length of the key, type, one byte of value; and a tensor: length of the name,
// number of dimensions, type, offset. Counts beyond what the rest of the file could hold are refused at once.
constexpr std::uint64_t kLeastKeyBytes = 8 + 4 + 1;
constexpr std::uint64_t kLeastTensorBytes = 8 + 4 + 4 + 8;

constexpr const char* kDamaged = "The file is damaged or incomplete: copy or download it again.";

/// What is being read, for messages: "tensor", "blk.0.attn_q.weight".
struct Place {
  std::string_view what;
  std::string_view name;

  std::string text() const { return name.empty() ? std::string(what) : fmt::format("{} {}", what, printable(name)); }
};

/// Reads a file from front to back and never beyond its end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> file, const std::string& subject)
      : bytes_(file.first(std::min<std::size_t>(file.size(), kMaxHeaderBytes))), file_(file), subject_(subject) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return bytes_.size() - position_; }

  std::span<const std::byte> take(std::uint64_t n, const Place& place) {
    if (n > remaining()) fail_at_end(place);
    const auto taken = bytes_.subspan(position_, n);
    position_ += n;
    return taken;
  }

  template <class T>
  T number(const Place& place) {
    T value;
    std::memcpy(&value, take(sizeof value, place).data(), sizeof value);
    return value;
  }

  /// Length, then as many bytes.
  std::string_view text(const Place& place, std::uint64_t limit) {
    const auto length = number<std::uint64_t>(place);
    if (length > limit) fail(fmt::format("{} has a text of {} bytes, above {}.", place.text(), length, limit));
    const auto bytes = take(length, place);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[noreturn]] void fail(std::string reason, std::string way_out = kDamaged) const {
    throw Error(ErrorKind::kInput, subject_, std::move(reason), std::move(way_out));
  }

 private:
  [[noreturn]] void fail_at_end(const Place& place) const {
    if (bytes_.size() < file_.size())
      fail(fmt::format("its header is longer than {} MiB, which no valid file's is.", kMaxHeaderBytes >> 20));
    fail(fmt::format("it ends inside {}: {} bytes are left there.", place.text(), remaining()));
  }

  std::span<const std::byte> bytes_;
  std::span<const std::byte> file_;
  const std::string& subject_;
  std::uint64_t position_ = 0;
};

// -------- magic and version

void check_magic(Cursor& cursor) {
  if (cursor.remaining() < 4)
    cursor.fail(fmt::format("it is {} bytes long; a GGUF file begins with the letters \"GGUF\".", cursor.remaining()));
  const auto bytes = cursor.take(4, {"the first four bytes", {}});
  const std::string_view magic(reinterpret_cast<const char*>(bytes.data()), 4);
  if (magic == "GGUF") return;
  // The formats before August 2023, stored as numbers and thus backwards.
  if (magic == "lmgg" || magic == "fmgg" || magic == "tjgg" || magic == "algg")
    cursor.fail("it is a GGML file, the format before GGUF.", "Convert the model to GGUF again.");
  if (std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; }))
    cursor.fail("it begins with zeros instead of the letters \"GGUF\": writing it was probably broken off.");
  cursor.fail("it does not begin with the letters \"GGUF\".", "Is this a GGUF file?");
}

std::uint32_t read_version(Cursor& cursor) {
  const auto version = cursor.number<std::uint32_t>({"the version", {}});
  if (version == 2 || version == 3) return version;
  if (version == 1)
    cursor.fail("it has version 1 of the format, which counts in 32 bits and was replaced in August 2023.",
                "Convert the model to GGUF again.");
  if ((version & 0xffffu) == 0 && version != 0)
    cursor.fail("it is written for big-endian computers.", "Use the little-endian file of the model.");
  cursor.fail(fmt::format("it has version {}; versions 2 and 3 can be read.", version), "Use a newer program.");
}

std::uint64_t read_count(Cursor& cursor, std::string_view what, std::uint64_t least_bytes, std::uint64_t limit) {
  const auto count = cursor.number<std::uint64_t>({"its counts", {}});
  if (count > limit) cursor.fail(fmt::format("it claims {} {}, above {}.", count, what, limit));
  if (count > cursor.remaining() / least_bytes)
    cursor.fail(fmt::format("it claims {} {}, but the {} bytes that follow hold {} at most.", count, what,
                            cursor.remaining(), cursor.remaining() / least_bytes));
  return count;
}

// -------- metadata

/// Bytes of a value of fixed size; 0 for texts and arrays.
std::uint64_t fixed_size(GgufValueType type) {
  constexpr std::uint8_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kSizes[static_cast<std::size_t>(type)];
}

GgufValueType read_value_type(Cursor& cursor, const Place& place) {
  const auto type = cursor.number<std::uint32_t>(place);
  if (type > static_cast<std::uint32_t>(GgufValueType::kF64))
    cursor.fail(fmt::format("{} has the unknown value type {}.", place.text(), type));
  return static_cast<GgufValueType>(type);
}

GgufArray read_array(Cursor& cursor, const Place& place, std::span<const std::byte> file, int depth) {
  if (depth > kMaxArrayDepth) cursor.fail(fmt::format("{} nests arrays too deep.", place.text()));
  GgufArray array{read_value_type(cursor, place), cursor.number<std::uint64_t>(place), {}};
  const std::uint64_t begin = cursor.position();
  const std::uint64_t size = fixed_size(array.element_type);
  const std::uint64_t least = size > 0 ? size : array.element_type == GgufValueType::kText ? 8 : 12;
  if (array.count > cursor.remaining() / least)
    cursor.fail(fmt::format("{} claims {} elements, but the {} bytes that follow hold {} at most.", place.text(),
                            array.count, cursor.remaining(), cursor.remaining() / least));
  if (size > 0) cursor.take(array.count * size, place);
  for (std::uint64_t i = 0; size == 0 && i < array.count; ++i) {
    if (array.element_type == GgufValueType::kText)
      cursor.text(place, kMaxHeaderBytes);
    else
      read_array(cursor, place, file, depth + 1);
  }
  array.bytes = file.subspan(begin, cursor.position() - begin);
  return array;
}

bool read_flag(Cursor& cursor, const Place& place) {
  const auto value = cursor.number<std::uint8_t>(place);
  if (value > 1) cursor.fail(fmt::format("{} is a flag of value {}.", place.text(), value));
  return value == 1;
}

GgufValue read_value(Cursor& cursor, const Place& place, std::span<const std::byte> file) {
  const GgufValueType type = read_value_type(cursor, place);
  const auto of_unsigned = [](std::uint64_t value) { return value; };
  const auto of_signed = [](std::int64_t value) { return value; };
  switch (type) {
    case GgufValueType::kU8: return {type, of_unsigned(cursor.number<std::uint8_t>(place))};
    case GgufValueType::kI8: return {type, of_signed(cursor.number<std::int8_t>(place))};
    case GgufValueType::kU16: return {type, of_unsigned(cursor.number<std::uint16_t>(place))};
    case GgufValueType::kI16: return {type, of_signed(cursor.number<std::int16_t>(place))};
    case GgufValueType::kU32: return {type, of_unsigned(cursor.number<std::uint32_t>(place))};
    case GgufValueType::kI32: return {type, of_signed(cursor.number<std::int32_t>(place))};
    case GgufValueType::kU64: return {type, cursor.number<std::uint64_t>(place)};
    case GgufValueType::kI64: return {type, cursor.number<std::int64_t>(place)};
    case GgufValueType::kF32: return {type, static_cast<double>(cursor.number<float>(place))};
    case GgufValueType::kF64: return {type, cursor.number<double>(place)};
    case GgufValueType::kBool: return {type, read_flag(cursor, place)};
    case GgufValueType::kText: return {type, cursor.text(place, kMaxHeaderBytes)};
    case GgufValueType::kArray: return {type, read_array(cursor, place, file, 1)};
  }
  return {};
}

void read_metadata(Cursor& cursor, std::uint64_t n_keys, GgufHeader& header) {
  for (std::uint64_t i = 0; i < n_keys; ++i) {
    const std::string_view key = cursor.text({"the name of a metadata key", {}}, kMaxKeyBytes);
    if (key.empty()) cursor.fail("a metadata key has no name.");
    const Place place{"metadata key", key};
    if (!header.metadata.emplace(key, read_value(cursor, place, header.file)).second)
      cursor.fail(fmt::format("{} is there twice.", place.text()));
  }
}

void read_alignment(const Cursor& cursor, GgufHeader& header) {
  const GgufValue* value = header.find_value("general.alignment");
  if (value == nullptr) return;
  const std::int64_t alignment = integer_of(*value).value_or(0);
  if (alignment <= 0 || static_cast<std::uint64_t>(alignment) > kMaxAlignment ||
      !std::has_single_bit(static_cast<std::uint64_t>(alignment)))
    cursor.fail(fmt::format("its general.alignment is no power of two from 1 to {}.", kMaxAlignment));
  header.alignment = static_cast<std::uint64_t>(alignment);
}

// -------- tensors

void read_dimensions(Cursor& cursor, const Place& place, GgufTensor& tensor) {
  const auto n_dims = cursor.number<std::uint32_t>(place);
  if (n_dims > tensor.dims.size())
    cursor.fail(fmt::format("{} has {} dimensions, more than {}.", place.text(), n_dims, tensor.dims.size()));
  tensor.n_dims = static_cast<int>(n_dims);
  tensor.elements = 1;
  for (std::uint32_t i = 0; i < n_dims; ++i) {
    const auto extent = cursor.number<std::uint64_t>(place);
    if (extent == 0) cursor.fail(fmt::format("{} has a dimension of 0.", place.text()));
    // Programs of the format count elements in signed 64 bits.
    if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / tensor.elements)
      cursor.fail(fmt::format("{} has more elements than 64 bits can count.", place.text()));
    tensor.dims[i] = extent;
    tensor.elements *= extent;
  }
}

void read_type_and_size(Cursor& cursor, const Place& place, GgufTensor& tensor) {
  const auto type = cursor.number<std::uint32_t>(place);
  tensor.type = ggml_type(type);
  if (tensor.type == nullptr)
    cursor.fail(fmt::format("{} has the unknown type {}.", place.text(), type),
                "The file is damaged, or its type is newer than this program.");
  const auto bytes = tensor_bytes(*tensor.type, tensor.dims[0], tensor.elements / tensor.dims[0]);
  if (tensor.dims[0] % static_cast<std::uint64_t>(tensor.type->block_elements) != 0)
    cursor.fail(fmt::format("{} has rows of {} elements, which are no whole blocks of {} ({}).", place.text(),
                            tensor.dims[0], tensor.type->block_elements, tensor.type->name));
  if (!bytes) cursor.fail(fmt::format("{} has more bytes than 64 bits can count.", place.text()));
  tensor.bytes = *bytes;
}

void read_tensors(Cursor& cursor, std::uint64_t n_tensors, GgufHeader& header) {
  std::unordered_set<std::string_view> names;
  for (std::uint64_t i = 0; i < n_tensors; ++i) {
    GgufTensor tensor;
    tensor.name = cursor.text({"the name of a tensor", {}}, kMaxTensorNameBytes);
    if (tensor.name.empty()) cursor.fail("a tensor has no name.");
    const Place place{"tensor", tensor.name};
    if (!names.insert(tensor.name).second) cursor.fail(fmt::format("{} is there twice.", place.text()));
    read_dimensions(cursor, place, tensor);
    read_type_and_size(cursor, place, tensor);
    tensor.offset = cursor.number<std::uint64_t>(place);
    if (tensor.offset % header.alignment != 0)
      cursor.fail(fmt::format("{} lies at offset {}, no multiple of the alignment {}.", place.text(), tensor.offset,
                              header.alignment));
    header.tensors.push_back(tensor);
  }
}

/// No two tensors share a byte, and all lie before `data_bytes`. Holes are harmless.
void check_places(const Cursor& cursor, const GgufHeader& header, std::uint64_t data_bytes) {
  std::vector<const GgufTensor*> order;
  for (const GgufTensor& tensor : header.tensors) order.push_back(&tensor);
  std::ranges::sort(order, {}, [](const GgufTensor* tensor) { return tensor->offset; });
  std::uint64_t covered = 0;
  for (const GgufTensor* tensor : order) {
    const Place place{"tensor", tensor->name};
    if (tensor->offset < covered)
      cursor.fail(fmt::format("{} lies at offset {}, inside another one that ends at {}.", place.text(), tensor->offset,
                              covered));
    if (tensor->bytes > data_bytes || tensor->offset > data_bytes - tensor->bytes)
      cursor.fail(fmt::format("{} of {} bytes at offset {} ends behind the {} bytes of data that the file holds.",
                              place.text(), tensor->bytes, tensor->offset, data_bytes));
    covered = tensor->offset + tensor->bytes;
  }
}

}  // namespace

GgufHeader read_gguf_header(std::span<const std::byte> file, const std::string& subject, GgufExtent extent) {
  Cursor cursor(file, subject);
  GgufHeader header;
  header.file = file;
  check_magic(cursor);
  header.version = read_version(cursor);
  const std::uint64_t n_tensors = read_count(cursor, "tensors", kLeastTensorBytes, kMaxTensors);
  const std::uint64_t n_keys = read_count(cursor, "metadata keys", kLeastKeyBytes, kMaxKeys);
  read_metadata(cursor, n_keys, header);
  read_alignment(cursor, header);
  read_tensors(cursor, n_tensors, header);
  header.data_begin = (cursor.position() + header.alignment - 1) / header.alignment * header.alignment;
  const std::uint64_t present = file.size() - std::min<std::uint64_t>(file.size(), header.data_begin);
  check_places(cursor, header, extent == GgufExtent::kWholeFile ? present : kMaxDataBytes);
  return header;
}

}  // namespace dachlast
