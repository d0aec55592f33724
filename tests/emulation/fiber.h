#pragma once

#include <cstddef>

// A few lines of x86-64 instead of ucontext, which asks the kernel for the signal mask at every switch and takes 8 to 18
// times as long.
namespace dachlast::emulation {

/// The stack of one CUDA thread, and where it stopped.
class Fiber {
 public:
  /// Bytes of a stack; kernels keep their arrays in registers on a GPU and there is little of them.
  static constexpr std::size_t kStackBytes = std::size_t{128} << 10;

  Fiber();
  ~Fiber();
  Fiber(Fiber&& other) noexcept;
  Fiber& operator=(Fiber&&) = delete;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// The next switch to this fiber enters `entry`, which never returns. What ran here before is forgotten.
  void start(void (*entry)());

  bool holds(const void* address) const;

  /// Stops `from` (a stack pointer that this call fills in) and continues where `to` stopped.
  static void switch_stacks(void** from, void* to);

  void** stack_pointer() { return &stack_pointer_; }

 private:
  std::byte* stack_;
  void* stack_pointer_ = nullptr;
};

}  // namespace dachlast::emulation
