#include <omp.h>

#include <algorithm>
#include <cassert>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/linear_cpu.h"

namespace dachlast::kernels::cpu {
namespace {

/// Keeps oneDNN on the calling thread: it asks OpenMP how many threads to use, and that setting belongs to each thread.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneOpenMpThread() { omp_set_num_threads(before_); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  int before_;
};

/// Elements of a converted piece: 256 Ki, 0.5 MiB of bfloat16 or 1 MiB of float, about one L2.
constexpr int kPieceElements = 256 * 1024;

/// Rows per piece. At least 128, below which packing the other operand shows: 53 rows of 4,864 ran at 58 % of the roof.
int piece_rows(int k) {
  return std::max(128, kPieceElements / k);
}

/// Buffer of the calling thread, kept for its next call; at most max(kPieceElements, 128 · k) elements.
template <class T>
T* piece_buffer(std::size_t n) {
  thread_local std::vector<T> buffer;
  if (buffer.size() < n) buffer.resize(n);
  return buffer.data();
}

void add_bias(const LinearShape& s, std::span<const float> bias, float* y, Slice columns) {
  if (bias.empty()) return;
  for (int i = 0; i < s.m; ++i) {
    float* row = y + std::size_t(i) * s.n;
    for (int j = columns.begin; j < columns.end; ++j) row[j] += bias[j];
  }
}

/// y[m, n] = x[m, k] · w[n, k]ᵀ with row stride `y_stride`.
void multiply(int m, int n, int k, const float* x, const float* w, float* y, int y_stride) {
  dnnl_sgemm('N', 'T', m, n, k, 1.0f, x, k, w, k, 0.0f, y, y_stride);
}

/// As above from bfloat16. Making the primitive takes 2 µs: oneDNN keeps the last ones (1,024 unless
/// ONEDNN_PRIMITIVE_CACHE_CAPACITY says otherwise).
void multiply(int m, int n, int k, const BF16* x, const BF16* w, float* y, int y_stride) {
  using dnnl::memory;
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  thread_local dnnl::stream stream(engine);
  const auto bf16 = memory::data_type::bf16;
  const memory::desc x_desc({m, k}, bf16, memory::dims{k, 1});
  const memory::desc w_desc({k, n}, bf16, memory::dims{1, k});  // read in place: the transpose is in the strides
  const memory::desc y_desc({m, n}, memory::data_type::f32, memory::dims{y_stride, 1});
  const dnnl::matmul product({{x_desc, w_desc, y_desc}, engine});
  product.execute(stream, {{DNNL_ARG_SRC, memory(x_desc, engine, const_cast<BF16*>(x))},
                           {DNNL_ARG_WEIGHTS, memory(w_desc, engine, const_cast<BF16*>(w))},
                           {DNNL_ARG_DST, memory(y_desc, engine, y)}});
  stream.wait();
}

}  // namespace

/// oneDNN multiplies bfloat16 natively from AVX512_BF16 on, emulates it on AVX-512 and has only its slow reference
/// below.
bool onednn_bf16_supported() {
  const int bf16 = static_cast<int>(dnnl::cpu_isa::avx512_core_bf16);
  return (static_cast<int>(dnnl::get_effective_cpu_isa()) & bf16) == bf16;
}

void linear_onednn_f32(const LinearShape& s, std::span<const float> x, WeightSpan w, std::span<const float> bias,
                       std::span<float> y, Slice columns) {
  if (columns.begin >= columns.end) return;
  const OneOpenMpThread single;
  const float* weights = std::get<std::span<const float>>(w).data() + std::size_t(columns.begin) * s.k;
  multiply(s.m, columns.end - columns.begin, s.k, x.data(), weights, y.data() + columns.begin, s.n);
  add_bias(s, bias, y.data(), columns);
}

/// Rounds x to bfloat16 piece by piece; every thread rounds all of it, m · k against m · n · k / threads products.
void linear_onednn_bf16(const LinearShape& s, std::span<const float> x, WeightSpan w, std::span<const float> bias,
                        std::span<float> y, Slice columns) {
  if (columns.begin >= columns.end) return;
  const OneOpenMpThread single;
  const BF16* weights = std::get<std::span<const BF16>>(w).data() + std::size_t(columns.begin) * s.k;
  for (int i = 0; i < s.m; i += piece_rows(s.k)) {
    const int rows = std::min(piece_rows(s.k), s.m - i);
    BF16* rounded = piece_buffer<BF16>(std::size_t(rows) * s.k);
    convert({x.data() + std::size_t(i) * s.k, std::size_t(rows) * s.k}, rounded);
    multiply(rows, columns.end - columns.begin, s.k, rounded, weights, &y[std::size_t(i) * s.n + columns.begin], s.n);
  }
  add_bias(s, bias, y.data(), columns);
}

/// Widens bfloat16 weights to float piece by piece, for CPUs without bfloat16 arithmetic.
void linear_onednn_widened(const LinearShape& s, std::span<const float> x, WeightSpan w, std::span<const float> bias,
                           std::span<float> y, Slice columns) {
  const OneOpenMpThread single;
  const BF16* weights = std::get<std::span<const BF16>>(w).data();
  for (int j = columns.begin; j < columns.end; j += piece_rows(s.k)) {
    const int rows = std::min(piece_rows(s.k), columns.end - j);
    float* widened = piece_buffer<float>(std::size_t(rows) * s.k);
    convert({weights + std::size_t(j) * s.k, std::size_t(rows) * s.k}, widened);
    multiply(s.m, rows, s.k, x.data(), widened, y.data() + j, s.n);
  }
  add_bias(s, bias, y.data(), columns);
}

}  // namespace dachlast::kernels::cpu
