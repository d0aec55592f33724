#include "tests/bench/stream_reference.h"

#include <omp.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#if defined(__GNUC__) && !defined(__clang__)
// Loops stay loops instead of calls of memset and memcpy, which choose stores of their own.
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

namespace dachlast::bench {
namespace {

constexpr double kScalar = 0.4;  // keeps repeated passes bounded: a ← b + s · c with b = s · c shrinks
constexpr std::size_t kHugePage = std::size_t{2} << 20;

#if defined(__x86_64__)
// Vectors as wide as the CPU has, as -march=native would give, without tying the program to the machine it is built on.
#define DACHLAST_WIDEST __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define DACHLAST_WIDEST
#endif

DACHLAST_WIDEST void copy_piece(double* __restrict c, const double* __restrict a, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) c[i] = a[i];
}
DACHLAST_WIDEST void scale_piece(double* __restrict b, const double* __restrict c, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) b[i] = kScalar * c[i];
}
DACHLAST_WIDEST void add_piece(double* __restrict c, const double* __restrict a, const double* __restrict b,
                               std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) c[i] = a[i] + b[i];
}
DACHLAST_WIDEST void triad_piece(double* __restrict a, const double* __restrict b, const double* __restrict c,
                                 std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) a[i] = b[i] + kScalar * c[i];
}

void pin_to(int core_id) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(core_id, &mask);
  (void)sched_setaffinity(0, sizeof mask, &mask);  // a refusal costs bandwidth only
}

bool holds(const double* array, std::size_t n, double expected) {
  return std::all_of(array, array + n,
                     [expected](double x) { return std::abs(x - expected) <= 1e-12 * std::abs(expected); });
}

}  // namespace

void StreamReference::Free::operator()(double* array) const {
  std::free(array);
}

StreamReference::Array StreamReference::make_array() const {
  const std::size_t n_bytes = (n_ * sizeof(double) + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = std::aligned_alloc(kHugePage, n_bytes);
  if (memory == nullptr) throw std::bad_alloc();
  (void)madvise(memory, n_bytes, MADV_HUGEPAGE);
  return Array(static_cast<double*>(memory));
}

StreamReference::StreamReference(std::size_t n, std::span<const int> core_ids)
    : n_(n), n_threads_(static_cast<int>(core_ids.size())), a_(make_array()), b_(make_array()), c_(make_array()) {
#pragma omp parallel num_threads(n_threads_)
  pin_to(core_ids[static_cast<std::size_t>(omp_get_thread_num())]);
  time([this](std::size_t begin, std::size_t end) {
    std::fill(a_.get() + begin, a_.get() + end, expected_a_);
    std::fill(b_.get() + begin, b_.get() + end, expected_b_);
    std::fill(c_.get() + begin, c_.get() + end, expected_c_);
  });
}

template <class Kernel>
double StreamReference::time(Kernel kernel) const {
  const double start = omp_get_wtime();
#pragma omp parallel num_threads(n_threads_)
  {
    const auto thread = static_cast<std::size_t>(omp_get_thread_num());
    const auto n_threads = static_cast<std::size_t>(omp_get_num_threads());
    kernel(n_ * thread / n_threads, n_ * (thread + 1) / n_threads);
  }
  return omp_get_wtime() - start;
}

double StreamReference::copy() {
  expected_c_ = expected_a_;
  const double seconds =
      time([this](std::size_t begin, std::size_t end) { copy_piece(c_.get(), a_.get(), begin, end); });
  return 16.0 * static_cast<double>(n_) / seconds;
}

double StreamReference::scale() {
  expected_b_ = kScalar * expected_c_;
  const double seconds =
      time([this](std::size_t begin, std::size_t end) { scale_piece(b_.get(), c_.get(), begin, end); });
  return 16.0 * static_cast<double>(n_) / seconds;
}

double StreamReference::add() {
  expected_c_ = expected_a_ + expected_b_;
  const double seconds =
      time([this](std::size_t begin, std::size_t end) { add_piece(c_.get(), a_.get(), b_.get(), begin, end); });
  return 24.0 * static_cast<double>(n_) / seconds;
}

double StreamReference::triad() {
  expected_a_ = expected_b_ + kScalar * expected_c_;
  const double seconds =
      time([this](std::size_t begin, std::size_t end) { triad_piece(a_.get(), b_.get(), c_.get(), begin, end); });
  return 24.0 * static_cast<double>(n_) / seconds;
}

bool StreamReference::is_right() const {
  return holds(a_.get(), n_, expected_a_) && holds(b_.get(), n_, expected_b_) && holds(c_.get(), n_, expected_c_);
}

}  // namespace dachlast::bench
