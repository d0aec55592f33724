#include "tests/emulation/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

// Saves what the System V ABI (x86-64, section 3.2.1) lets a callee keep, and exchanges the stack pointer. Rounding mode
// and x87 control word stay as they are: no kernel changes them.
asm(R"(
.text
.type dachlast_switch_stacks, @function
dachlast_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size dachlast_switch_stacks, .-dachlast_switch_stacks
)");

extern "C" void dachlast_switch_stacks(void** from, void* to);

namespace dachlast::emulation {

Fiber::Fiber()
    : stack_(static_cast<std::byte*>(
          mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
  if (static_cast<void*>(stack_) == MAP_FAILED) throw std::bad_alloc();
}

Fiber::~Fiber() {
  if (stack_ != nullptr) munmap(stack_, kStackBytes);
}

Fiber::Fiber(Fiber&& other) noexcept
    : stack_(std::exchange(other.stack_, nullptr)), stack_pointer_(other.stack_pointer_) {}

void Fiber::start(void (*entry)()) {
#ifdef __SANITIZE_ADDRESS__
  // A kernel that was stopped in the middle never left its frames.
  __asan_unpoison_memory_region(stack_, kStackBytes);
#endif
  auto** top = reinterpret_cast<void**>(stack_ + kStackBytes);
  *--top = nullptr;  // the return address of `entry`: the ABI wants it 8 off a multiple of 16
  *--top = reinterpret_cast<void*>(entry);
  for (int saved_register = 0; saved_register < 6; ++saved_register) *--top = nullptr;
  stack_pointer_ = top;
}

bool Fiber::holds(const void* address) const {
  const auto at = reinterpret_cast<std::uintptr_t>(address), begin = reinterpret_cast<std::uintptr_t>(stack_);
  return at - begin < kStackBytes;
}

void Fiber::switch_stacks(void** from, void* to) {
  dachlast_switch_stacks(from, to);
}

}  // namespace dachlast::emulation
