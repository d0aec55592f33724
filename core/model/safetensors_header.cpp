#include "core/model/safetensors_header.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

constexpr StoredType kStoredTypes[] = {
    {"F32", 32, DType::kF32},
    {"F16", 16, DType::kF16},
    {"BF16", 16, DType::kBF16},
    {"F64", 64, {}},
    {"I64", 64, {}},
    {"I32", 32, {}},
    {"I16", 16, {}},
    {"I8", 8, {}},
    {"U64", 64, {}},
    {"U32", 32, {}},
    {"U16", 16, {}},
    {"U8", 8, {}},
    {"BOOL", 8, {}},
    {"C64", 64, {}},
    {"F8_E4M3", 8, {}},
    {"F8_E5M2", 8, {}},
    {"F8_E8M0", 8, {}},
    {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},
    {"F4", 4, {}},
};

constexpr std::size_t kMaxDimensions =
    16;  // twice what any published checkpoint has; bounds what a header can allocate

/// Product of the shape times bits, in bytes; empty where it overflows or ends inside a byte.
std::optional<std::uint64_t> byte_size(const TensorInfo& tensor) {
  auto bits = static_cast<std::uint64_t>(tensor.type->bits);
  if (std::ranges::find(tensor.shape, 0u) != tensor.shape.end()) return 0;
  for (const std::uint64_t extent : tensor.shape) {
    if (bits > std::numeric_limits<std::uint64_t>::max() / extent) return std::nullopt;
    bits *= extent;
  }
  return bits % 8 == 0 ? std::optional(bits / 8) : std::nullopt;
}

/// Takes a header apart: level 1 names tensors, level 2 their fields, level 3 lists of numbers.
class HeaderReader : public StrictJson {
 public:
  TensorTable table;

  bool start_object(std::size_t) override {
    if (level_ >= 2 || (level_ == 1 && !named_)) return refuse(fmt::format("{} is nested too deep", where()));
    ++level_;
    return true;
  }
  bool key(string_t& name) override {
    field_ = Field::kNone;
    if (level_ == 1) return begin_entry(name);
    if (in_metadata_) return true;
    return begin_field(name);
  }
  bool end_object() override {
    --level_;
    if (level_ == 1 && !in_metadata_) return end_entry();
    named_ = false;
    return true;
  }
  bool string(string_t& text) override {
    if (level_ == 2 && in_metadata_) return true;
    if (level_ != 2 || field_ != Field::kType) return refuse(fmt::format("a text has no place in {}", where()));
    tensor_.type = stored_type(text);
    return tensor_.type != nullptr || refuse(fmt::format("{} has the unknown dtype \"{}\"", where(), printable(text)));
  }
  bool start_array(std::size_t) override {
    if (level_ != 2 || (field_ != Field::kShape && field_ != Field::kOffsets))
      return refuse(fmt::format("an array has no place in {}", where()));
    ++level_;
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (level_ != 3) return refuse(fmt::format("a number has no place in {}", where()));
    std::vector<std::uint64_t>& list = field_ == Field::kShape ? tensor_.shape : offsets_;
    if (list.size() == kMaxDimensions) return refuse(fmt::format("{} has too many numbers in a list", where()));
    list.push_back(number);
    return true;
  }
  bool end_array() override {
    --level_;
    return true;
  }

 private:
  enum class Field { kNone, kType, kShape, kOffsets };

  std::string where() const {
    if (name_.empty()) return "the top level";
    return in_metadata_ ? name_ : fmt::format("tensor {}", printable(name_));
  }

  bool begin_entry(const std::string& name) {
    name_ = name;
    named_ = true;
    in_metadata_ = name == "__metadata__";
    tensor_ = {};
    offsets_.clear();
    seen_ = {};
    if (in_metadata_ ? std::exchange(has_metadata_, true) : table.contains(name))
      return refuse(fmt::format("{} is listed twice", where()));
    return true;
  }

  bool begin_field(const std::string& name) {
    if (name == "dtype") field_ = Field::kType;
    if (name == "shape") field_ = Field::kShape;
    if (name == "data_offsets") field_ = Field::kOffsets;
    if (field_ == Field::kNone) return refuse(fmt::format("{} has the unknown field \"{}\"", where(), printable(name)));
    bool& seen = seen_[static_cast<std::size_t>(field_) - 1];
    return !std::exchange(seen, true) || refuse(fmt::format("{} has the field \"{}\" twice", where(), printable(name)));
  }

  bool end_entry() {
    named_ = false;
    if (!std::ranges::all_of(seen_, [](bool seen) { return seen; }))
      return refuse(fmt::format("{} lacks dtype, shape or data_offsets", where()));
    if (offsets_.size() != 2) return refuse(fmt::format("{} has not exactly two data_offsets", where()));
    tensor_.begin = offsets_[0];
    tensor_.end = offsets_[1];
    if (tensor_.begin > tensor_.end) return refuse(fmt::format("{} ends before it begins", where()));
    const std::optional<std::uint64_t> size = byte_size(tensor_);
    if (!size) return refuse(fmt::format("{} has the impossible shape {}", where(), shape_text(tensor_.shape)));
    if (*size != tensor_.end - tensor_.begin)
      return refuse(fmt::format("{} of shape {} and dtype {} takes {} bytes, but its data_offsets span {}", where(),
                                shape_text(tensor_.shape), tensor_.type->name, *size, tensor_.end - tensor_.begin));
    table.emplace(name_, std::move(tensor_));
    return true;
  }

  int level_ = 0;  // objects and arrays open
  Field field_ = Field::kNone;
  std::string name_;
  bool named_ = false;  // a key of the top level waits for its value
  bool in_metadata_ = false;
  bool has_metadata_ = false;
  TensorInfo tensor_;
  std::vector<std::uint64_t> offsets_;
  std::array<bool, 3> seen_{};
};

Error layout_error(const std::string& subject, std::string reason) {
  return {ErrorKind::kInput, subject, std::move(reason), "The file is damaged: copy or download it again."};
}

/// The tensors, in the order they lie, follow each other without overlap or hole and end where the file ends.
void require_contiguous(const TensorTable& table, std::uint64_t data_bytes, const std::string& subject) {
  std::vector<const TensorTable::value_type*> order;
  for (const auto& entry : table) order.push_back(&entry);
  std::ranges::sort(order, {}, [](const auto* entry) { return std::pair(entry->second.begin, entry->second.end); });
  std::uint64_t covered = 0;
  for (const auto* entry : order) {
    const TensorInfo& tensor = entry->second;
    const std::string name = printable(entry->first);
    if (tensor.end > data_bytes)
      throw layout_error(subject,
                         fmt::format("tensor {} ends at byte {} of the data, but the file holds only {} bytes.", name,
                                     tensor.end, data_bytes));
    if (tensor.begin != covered)
      throw layout_error(
          subject, fmt::format("tensor {} begins at byte {} of the data, {} the previous one, which ends "
                               "at {}.",
                               name, tensor.begin, tensor.begin < covered ? "inside" : "with a hole behind", covered));
    covered = tensor.end;
  }
  if (covered != data_bytes)
    throw layout_error(subject, fmt::format("{} bytes behind the last tensor belong to none.", data_bytes - covered));
}

}  // namespace

const StoredType* stored_type(std::string_view name) {
  const auto* found = std::ranges::find(kStoredTypes, name, &StoredType::name);
  return found == std::end(kStoredTypes) ? nullptr : found;
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (const std::uint64_t extent : shape) text += fmt::format("{}{}", text.size() > 1 ? ", " : "", extent);
  return text + "]";
}

TensorTable read_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& subject) {
  if (!json.starts_with('{')) throw layout_error(subject, "the header does not begin with a JSON object.");
  HeaderReader reader;
  read_strict_json(json, reader, subject, "header");
  require_contiguous(reader.table, data_bytes, subject);
  return std::move(reader.table);
}

}  // namespace dachlast
