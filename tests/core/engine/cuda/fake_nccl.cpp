// A library that behaves as NCCL towards its caller, for GPUs whose memory is that of the host. What is in its environment makes
// it fail: FAKE_NCCL=refuse (no communicator), FAKE_NCCL=wrong (sums one GPU too few).
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

struct Part {
  const float* sent;
  float* received;
  std::size_t n;
};

std::vector<Part> parts;
int n_devices_of_group = 0;
int n_comms = 0;

bool fails(std::string_view way) {
  const char* wanted = std::getenv("FAKE_NCCL");
  return wanted != nullptr && way == wanted;
}

}  // namespace

extern "C" {

int ncclGetVersion(int* version) {
  *version = 22809;
  return 0;
}
const char* ncclGetErrorString(int result) {
  return result == 5 ? "invalid usage" : "unhandled system error";
}
int ncclCommInitAll(void** comms, int n_devices, const int* devices) {
  if (fails("refuse") || devices != nullptr) return 2;
  n_devices_of_group = n_devices;
  for (int i = 0; i < n_devices; ++i) comms[i] = new int(i);
  n_comms += n_devices;
  return 0;
}
int ncclCommDestroy(void* comm) {
  delete static_cast<int*>(comm);
  --n_comms;
  return 0;
}
int ncclGroupStart() {
  parts.clear();
  return 0;
}
int ncclAllReduce(const void* sent, void* received, std::size_t n, int type, int op, void* comm, void*) {
  constexpr int kFloat32 = 7, kSum = 0;
  if (type != kFloat32 || op != kSum || *static_cast<int*>(comm) != static_cast<int>(parts.size())) return 5;
  parts.push_back({static_cast<const float*>(sent), static_cast<float*>(received), n});
  return 0;
}
int ncclGroupEnd() {
  if (static_cast<int>(parts.size()) != n_devices_of_group) return 5;
  const std::size_t n_summed = parts.size() - (fails("wrong") ? 1 : 0);
  for (const Part& to : parts)
    for (std::size_t i = 0; i < to.n; ++i) {
      to.received[i] = 0.0F;
      for (std::size_t rank = 0; rank < n_summed; ++rank) to.received[i] += parts[rank].sent[i];
    }
  return 0;
}
int fake_nccl_comms() {
  return n_comms;
}
}
