// The library that the CUDA driver loads into a program (CUDA_INJECTION64_PATH): records what its GPUs do. It never prints,
// never throws, never changes errno, and destroys nothing at exit.

#include <cupti.h>
#include <dlfcn.h>

#include <cerrno>

#include "core/collect/cupti/activity_session.h"
#include "core/collect/cupti/plugin.h"
#include "core/collect/nvtx/spool_writer.h"

namespace {

constexpr int kStarted = 1;
constexpr int kRefused = 0;

/// CUPTI's calls crash where there is no driver, so it is looked for first; whoever loads us for real has it open.
bool has_driver() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

int start_recording() {
  dachlast::spool::start();
  dachlast::spool::Writer* writer = dachlast::spool::Writer::of_gpus();
  if (writer == nullptr) return kRefused;
  const dachlast::cupti::Refusal refusal =
      has_driver() ? dachlast::cupti::start_activity(*writer) : "no CUDA driver is installed";
  if (refusal != nullptr) writer->text(dachlast::spool::Kind::kNote, 0, refusal);
  return refusal == nullptr ? kStarted : kRefused;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int InitializeInjection() {
  static bool is_done = false;  // the driver calls once, from one thread
  if (is_done) return kStarted;
  is_done = true;
  const int saved = errno;
  const int result = start_recording();
  errno = saved;
  return result;
}

__attribute__((visibility("default"))) unsigned dachlast_cupti_version() {
  std::uint32_t version = 0;
  return cuptiGetVersion(&version) == CUPTI_SUCCESS ? version : 0;
}
}
