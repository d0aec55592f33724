// A program whose GPU work is made up: it loads the injection library as the CUDA driver would, and annotates its steps.

#include <dlfcn.h>
#include <nvtx3/nvToolsExt.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/core/collect/programs/fake_cupti.h"

namespace {

template <class Function>
Function* symbol(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

void* g_cupti = nullptr;

void launch(const char* kernel, std::uint64_t delay_ns, std::uint64_t length_ns) {
  symbol<decltype(fake_cupti_launch)>(g_cupti, "fake_cupti_launch")(kernel, delay_ns, length_ns);
}

/// The clocks of ranges and kernels are tied to within a microsecond, give or take: what is to be told apart lies further apart.
void pause_a_little() {
  usleep(20);
}

void step(const char* name) {
  nvtxRangePushA(name);
  nvtxRangePushA("attention");
  pause_a_little();
  launch("_Z6attendILi128EEvPf", 1000, 50'000);
  pause_a_little();
  nvtxRangePop();
  pause_a_little();
  launch("gemm_bf16", 60'000, 20'000);
  pause_a_little();
  nvtxRangePop();
}

/// One kernel of a fifth of a second, far longer than the clocks of samples are unsure.
void long_step() {
  nvtxRangePushA("decode step 8");
  launch("gemm_bf16", 0, 200'000'000);
  usleep(250'000);
  nvtxRangePop();
}

/// Until the recording has taken what was launched, at most ten seconds.
void wait_for_flush() {
  const auto n_delivered = symbol<decltype(fake_cupti_n_delivered)>(g_cupti, "fake_cupti_n_delivered");
  for (int i = 0; i < 1000 && n_delivered() == 0; ++i) usleep(10'000);
}

}  // namespace

int main(int, char** arguments) {
  const char* path = std::getenv("CUDA_INJECTION64_PATH");
  void* injection = path != nullptr ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (injection == nullptr) return 1;
  if (symbol<int()>(injection, "InitializeInjection")() != 1) return 2;
  g_cupti = dlopen("libcupti.so.13", RTLD_NOW | RTLD_NOLOAD);
  if (g_cupti == nullptr) return 3;
  symbol<void()>(g_cupti, "fake_cupti_device")();
  step("decode step 7");
  if (std::strcmp(arguments[1], "kill") == 0) {
    wait_for_flush();
    std::raise(SIGKILL);
  }
  if (std::strcmp(arguments[1], "sample") == 0) long_step();
  if (std::strcmp(arguments[1], "fork") == 0) {
    const pid_t child = fork();
    if (child == 0) std::exit(0);  // runs the handlers it inherited
    waitpid(child, nullptr, 0);
  }
  std::thread([] { launch("unannotated", 0, 10'000); }).join();
  return 5;
}
