#include "core/model/weight_convert.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <type_traits>

#include "core/base/half.h"

namespace dachlast {
namespace {

/// Side of the square tiles a transposition walks: 32 rows of 32 floats are 4 KiB on either side, well within L1.
constexpr std::int64_t kTile = 32;

template <class From>
From load(const std::byte* from, std::int64_t index) {
  From element;
  std::memcpy(&element, from + static_cast<std::size_t>(index) * sizeof(From), sizeof(From));
  return element;
}

template <class To, class From>
To converted(From element) {
  if constexpr (std::is_same_v<To, From>)
    return element;
  else if constexpr (std::is_same_v<From, float>)
    return to_bf16(element);
  else if constexpr (std::is_same_v<To, float>)
    return to_float(element);
  else
    return to_bf16(to_float(element));
}

template <class From, class To>
void copy_rows(const std::byte* from, To* to, std::int64_t n) {
  if constexpr (std::is_same_v<From, To>) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(To));
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = converted<To>(load<From>(from, i));
  }
}

template <class From, class To>
void transpose(const std::byte* from, To* to, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t row0 = 0; row0 < rows; row0 += kTile)
    for (std::int64_t column0 = 0; column0 < columns; column0 += kTile)
      for (std::int64_t row = row0; row < std::min(row0 + kTile, rows); ++row)
        for (std::int64_t column = column0; column < std::min(column0 + kTile, columns); ++column)
          to[row * columns + column] = converted<To>(load<From>(from, column * rows + row));
}

template <class From, class To>
void convert_as(const ConvertJob& job) {
  To* const to = reinterpret_cast<To*>(job.to.data());
  if (job.layout == PartLayout::kTransposed)
    transpose<From, To>(job.from.data(), to, job.rows, job.columns);
  else
    copy_rows<From, To>(job.from.data(), to, job.rows * job.columns);
}

template <class From>
void read_rows_as(const ConvertJob& job, std::int64_t first, std::span<float> out) {
  if (job.layout == PartLayout::kRowMajor)
    return copy_rows<From, float>(job.from.data() + static_cast<std::size_t>(first * job.columns) * sizeof(From),
                                  out.data(), static_cast<std::int64_t>(out.size()));
  const std::int64_t n = static_cast<std::int64_t>(out.size()) / job.columns;
  for (std::int64_t column = 0; column < job.columns; ++column)
    for (std::int64_t row = 0; row < n; ++row)
      out[static_cast<std::size_t>(row * job.columns + column)] =
          converted<float>(load<From>(job.from.data(), column * job.rows + first + row));
}

template <class From>
void convert_from(const ConvertJob& job) {
  if (job.to_dtype == DType::kBF16)
    convert_as<From, BF16>(job);
  else
    convert_as<From, float>(job);
}

}  // namespace

void read_rows(const ConvertJob& job, std::int64_t first, [[maybe_unused]] std::int64_t n, std::span<float> out) {
  assert(first + n <= job.rows && out.size() == static_cast<std::size_t>(n * job.columns));
  switch (job.from_dtype) {
    case DType::kF32: return read_rows_as<float>(job, first, out);
    case DType::kF16: return read_rows_as<F16>(job, first, out);
    case DType::kBF16: return read_rows_as<BF16>(job, first, out);
    case DType::kI8: break;  // as in `convert`
  }
}

void convert(const ConvertJob& job) {
  assert(job.from.size() == static_cast<std::size_t>(job.rows * job.columns * size_of(job.from_dtype)));
  assert(job.to.size() == static_cast<std::size_t>(job.rows * job.columns * size_of(job.to_dtype)));
  switch (job.from_dtype) {
    case DType::kF32: convert_from<float>(job); break;
    case DType::kF16: convert_from<F16>(job); break;
    case DType::kBF16: convert_from<BF16>(job); break;
    case DType::kI8: break;  // a precondition: 8-bit weights have scales and are not read from plain tensors
  }
}

}  // namespace dachlast
