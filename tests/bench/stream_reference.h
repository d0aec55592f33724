#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace dachlast::bench {

/// The four kernels of STREAM over arrays of doubles, written from its definition and sharing no code with the probes:
/// OpenMP loops with the compiler's own (cached) stores, one contiguous piece a thread.
///   copy c = a     scale b = s · c     add c = a + b     triad a = b + s · c
/// Traffic counts 16, 16, 24, 24 bytes an element; what a write-allocating cache fetches besides is not counted.
/// Memory   three arrays on huge pages where the OS grants them, as the probes' memory; first touched by the thread
///          that works on them.
/// Source   McCalpin, STREAM, https://www.cs.virginia.edu/stream/ref.html.
class StreamReference {
 public:
  /// `n` elements in each array; thread i runs on the hardware thread `core_ids[i]`, one thread each. Pinned here and
  /// not by OMP_PROC_BIND, which would leave the program a single core to see.
  StreamReference(std::size_t n, std::span<const int> core_ids);

  // Each makes one pass and returns its bandwidth in bytes/s.
  double copy();
  double scale();
  double add();
  double triad();

  /// Whether the arrays hold what the passes made so far must have left; relative error at most 1e-12.
  bool is_right() const;

 private:
  struct Free {
    void operator()(double* array) const;
  };
  using Array = std::unique_ptr<double[], Free>;
  Array make_array() const;

  /// Runs `kernel(begin, end)` on every thread's piece; returns the seconds between start and end of the parallel loop.
  template <class Kernel>
  double time(Kernel kernel) const;

  std::size_t n_;
  int n_threads_;
  Array a_;
  Array b_;
  Array c_;
  double expected_a_ = 1.0;
  double expected_b_ = 2.0;
  double expected_c_ = 0.0;
};

}  // namespace dachlast::bench
