#pragma once

// Makes CUDA kernel sources compile as C++20 on the host: included before them (-include), it supplies what nvcc would
// and the toolkit's own headers keep to themselves. Rounding of __expf and contraction to FMA differ from a GPU's:
// results are held against double precision with tolerances.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime_api.h>
#include <vector_functions.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <tuple>
#include <type_traits>

#include "tests/emulation/grid.h"
#include "tests/emulation/queues.h"

#undef __global__
#undef __device__
#undef __host__
#undef __launch_bounds__
#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)

namespace dachlast::emulation {

/// A component of threadIdx and its like: asks the grid when it is read.
template <auto kTriple, auto kMember>
struct Component {
  operator unsigned() const { return kTriple().*kMember; }  // NOLINT(google-explicit-constructor)
};
template <auto kTriple, class T>
struct Triple {
  Component<kTriple, &T::x> x;
  Component<kTriple, &T::y> y;
  Component<kTriple, &T::z> z;
};

}  // namespace dachlast::emulation

inline constexpr dachlast::emulation::Triple<dachlast::emulation::thread_index, uint3> threadIdx;
inline constexpr dachlast::emulation::Triple<dachlast::emulation::block_index, uint3> blockIdx;
inline constexpr dachlast::emulation::Triple<dachlast::emulation::block_size, dim3> blockDim;
inline constexpr dachlast::emulation::Triple<dachlast::emulation::grid_size, dim3> gridDim;

/// See kernels/cuda/device.cuh.
#define DACHLAST_SHARED(Type, name) \
  Type& name = *reinterpret_cast<Type*>(::dachlast::emulation::shared_memory(sizeof(Type)))

using EmulatedPlace = std::source_location;

inline void __syncthreads(const EmulatedPlace& where = EmulatedPlace::current()) {
  dachlast::emulation::sync_block(where);
}
inline void __syncwarp(unsigned mask = ~0u, const EmulatedPlace& where = EmulatedPlace::current()) {
  dachlast::emulation::sync_warp(mask, where);
}

namespace dachlast::emulation {

template <class T>
T shuffle_any(unsigned mask, T value, int source, const EmulatedPlace& where) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t) && std::is_trivially_copyable_v<T>);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = shuffle(mask, bits, source, where);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace dachlast::emulation

template <class T>
T __shfl_sync(unsigned mask, T value, int source, const EmulatedPlace& where = EmulatedPlace::current()) {
  return dachlast::emulation::shuffle_any(mask, value, source & 31, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int with, const EmulatedPlace& where = EmulatedPlace::current()) {
  return dachlast::emulation::shuffle_any(mask, value, dachlast::emulation::lane() ^ with, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int by, const EmulatedPlace& where = EmulatedPlace::current()) {
  const int source = dachlast::emulation::lane() - by;
  return dachlast::emulation::shuffle_any(mask, value, source < 0 ? dachlast::emulation::lane() : source, where);
}
inline unsigned __ballot_sync(unsigned mask, int set, const EmulatedPlace& where = EmulatedPlace::current()) {
  return dachlast::emulation::ballot(mask, set != 0 ? 1 : 0, where);
}

inline float __expf(float x) {
  return std::exp(x);
}
inline float rsqrtf(float x) {
  return 1.0f / std::sqrt(x);
}
inline int __clz(int x) {
  return std::countl_zero(static_cast<unsigned>(x));
}
inline int __ffs(int x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1;
}
inline int __float2int_rn(float x) {
  return static_cast<int>(std::nearbyint(x));
}
template <class T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}

// mma.h is empty outside nvcc.
namespace nvcuda::wmma {

struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int kM, int kN, int kK, class T, class Layout = void>
struct fragment {
  static_assert(kM == 16 && kN == 16 && kK == 16);
  static constexpr int num_elements = dachlast::emulation::kFragmentElements;
  using element_type = T;
  T x[num_elements];
};

template <class Fragment>
void fill_fragment(Fragment& to, float value) {
  for (auto& x : to.x) x = value;
}

namespace emulated {

inline int element(int matrix, int place) {
  return dachlast::emulation::matrix_element(matrix, dachlast::emulation::lane(), place);
}

template <class T>
unsigned offset(int element, unsigned stride, bool row_major) {
  const unsigned row = static_cast<unsigned>(element) / 16, column = static_cast<unsigned>(element) % 16;
  return row_major ? row * stride + column : column * stride + row;
}

/// What CUDA asks of the pointer and of the stride: 32 and 16 bytes.
template <class T>
void check_alignment(const T* p, unsigned stride) {
  if (reinterpret_cast<std::uintptr_t>(p) % 32 != 0)
    dachlast::emulation::fail("a fragment's memory is not aligned to 32 bytes");
  if (stride * sizeof(T) % 16 != 0) dachlast::emulation::fail("a fragment's stride is no multiple of 16 bytes");
}

}  // namespace emulated

template <class Use, class T, class Layout>
void load_matrix_sync(fragment<Use, 16, 16, 16, T, Layout>& to, const T* from, unsigned stride,
                      const EmulatedPlace& where = EmulatedPlace::current()) {
  emulated::check_alignment(from, stride);
  dachlast::emulation::converge_warp(where);
  for (int i = 0; i < to.num_elements; ++i)
    to.x[i] = from[emulated::offset<T>(emulated::element(std::is_same_v<Use, matrix_a> ? 0 : 1, i), stride,
                                       std::is_same_v<Layout, row_major>)];
}
template <class T>
void load_matrix_sync(fragment<accumulator, 16, 16, 16, T>& to, const T* from, unsigned stride, layout_t layout,
                      const EmulatedPlace& where = EmulatedPlace::current()) {
  emulated::check_alignment(from, stride);
  dachlast::emulation::converge_warp(where);
  for (int i = 0; i < to.num_elements; ++i)
    to.x[i] = from[emulated::offset<T>(emulated::element(2, i), stride, layout == mem_row_major)];
}
template <class T>
void store_matrix_sync(T* to, const fragment<accumulator, 16, 16, 16, T>& from, unsigned stride, layout_t layout,
                       const EmulatedPlace& where = EmulatedPlace::current()) {
  emulated::check_alignment(to, stride);
  dachlast::emulation::converge_warp(where);
  for (int i = 0; i < from.num_elements; ++i)
    to[emulated::offset<T>(emulated::element(2, i), stride, layout == mem_row_major)] = from.x[i];
}
template <class A, class LayoutA, class LayoutB>
void mma_sync(fragment<accumulator, 16, 16, 16, float>& d, const fragment<matrix_a, 16, 16, 16, A, LayoutA>& a,
              const fragment<matrix_b, 16, 16, 16, A, LayoutB>& b, const fragment<accumulator, 16, 16, 16, float>& c,
              const EmulatedPlace& where = EmulatedPlace::current()) {
  dachlast::emulation::MatrixShare share{};
  for (int i = 0; i < c.num_elements; ++i) {
    share.a[i] = static_cast<float>(a.x[i]);
    share.b[i] = static_cast<float>(b.x[i]);
    share.c[i] = c.x[i];
  }
  dachlast::emulation::multiply(share, d.x, where);
}

}  // namespace nvcuda::wmma

namespace dachlast::emulation {

template <class Kernel, class Parameters>
struct Call {
  Kernel* kernel;
  Parameters parameters;

  static void run(void* call) {
    const Call& self = *static_cast<Call*>(call);
    std::apply(self.kernel, self.parameters);
  }
};

}  // namespace dachlast::emulation

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  dachlast::emulation::Call<void(Parameters...), std::tuple<Parameters...>> call{kernel, {arguments...}};
  static_assert((std::is_trivially_copyable_v<Parameters> && ...));  // as CUDA asks
  return dachlast::emulation::queue_launch(
      config->stream, {config->gridDim, config->blockDim, config->dynamicSmemBytes, call.run, &call, sizeof call});
}
