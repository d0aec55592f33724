#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/gguf.h"
#include "core/model/quantization.h"

namespace dachlast {

/// The bytes of a number as a GGUF file holds it.
template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string gguf_text(std::string_view text) {
  return raw<std::uint64_t>(text.size()).append(text);
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// Composes small GGUF files, also wrong ones.
class GgufWriter {
 public:
  std::uint32_t version = 3;
  std::optional<std::uint64_t> claimed_keys;  // else as many as there are
  std::optional<std::uint64_t> claimed_tensors;
  std::uint64_t alignment = 32;

  GgufWriter& value(std::string_view key, std::uint32_t type, std::string_view bytes) {
    metadata_ += gguf_text(key) + raw(type) + std::string(bytes);
    ++n_keys_;
    return *this;
  }
  GgufWriter& text(std::string_view key, std::string_view value_text) { return value(key, 8, gguf_text(value_text)); }
  GgufWriter& u32(std::string_view key, std::uint32_t number) { return value(key, 4, raw(number)); }
  GgufWriter& f32(std::string_view key, float number) { return value(key, 6, raw(number)); }
  template <class T>
  GgufWriter& array(std::string_view key, GgufValueType type, const std::vector<T>& elements) {
    std::string bytes = raw(static_cast<std::uint32_t>(type)) + raw<std::uint64_t>(elements.size());
    for (const T element : elements) bytes += raw(element);
    return value(key, 9, bytes);
  }

  /// Where `offset` is empty, behind the tensor before.
  GgufWriter& tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t type = 0,
                     std::optional<std::uint64_t> offset = {}) {
    tensors_ += gguf_text(name) + raw(static_cast<std::uint32_t>(dims.size()));
    std::uint64_t rows = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      tensors_ += raw(dims[i]);
      if (i > 0) rows *= dims[i];
    }
    tensors_ += raw(type) + raw(offset.value_or(end_));
    const GgmlType* known = ggml_type(type);
    const auto size = known ? tensor_bytes(*known, dims.empty() ? 1 : dims[0], rows) : std::nullopt;
    end_ = (offset.value_or(end_) + size.value_or(0) + alignment - 1) / alignment * alignment;
    ++n_tensors_;
    return *this;
  }

  std::string header() const {
    std::string bytes = "GGUF" + raw(version) + raw(claimed_tensors.value_or(n_tensors_)) +
                        raw(claimed_keys.value_or(n_keys_)) + metadata_ + tensors_;
    return bytes;
  }
  /// Header, padding, zeros as data.
  std::string file() const {
    std::string bytes = header();
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment + end_);
    return bytes;
  }

 private:
  std::string metadata_;
  std::string tensors_;
  std::uint64_t n_keys_ = 0;
  std::uint64_t n_tensors_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace dachlast
