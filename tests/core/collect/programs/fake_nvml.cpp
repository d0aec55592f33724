// Stands where libnvidia-ml.so.1 would: one GPU at 0000:41:00.0, which answers as the environment says.
#include <cstdlib>
#include <cstring>

namespace {

int answer(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::atoi(text);
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  return answer("FAKE_NVML_INIT");
}
int nvmlShutdown() {
  return 0;
}
const char* nvmlErrorString(int result) {
  switch (result) {
    case 0: return "Success";
    case 3: return "Not Supported";
    case 6: return "Not Found";
    case 9: return "Driver Not Loaded";
    default: return "Unknown Error";
  }
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** device) {
  static int gpu = 0;
  *device = &gpu;
  return std::strcmp(bus, "0000:41:00.0") == 0 ? 0 : 6;
}
int nvmlDeviceGetClockInfo(void*, int clock, unsigned* mhz) {
  *mhz = clock == 1 ? 1980 : 2619;
  return answer("FAKE_NVML_CLOCK");
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 412'500;
  return answer("FAKE_NVML_POWER");
}
}
