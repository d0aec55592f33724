// The few functions of the CUDA runtime that launchers call, for a device that is a CPU thread.
#include <cuda_runtime_api.h>

#include "tests/emulation/grid.h"

extern "C" {

const char* cudaGetErrorString(cudaError_t error) {
  if (error == cudaSuccess) return "no error";
  return dachlast::emulation::fault().c_str();
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  return cudaSuccess;
}
}
