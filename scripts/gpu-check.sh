#!/usr/bin/env bash
# Builds the CUDA kernels and runs their tests on a GPU of this computer, in one call; with compute-sanitizer too where it
# is installed. Fails where there is no GPU: then nothing has been checked.
#   scripts/gpu-check.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/gpu}

if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L | grep -q GPU; then
  echo "gpu-check.sh: no NVIDIA GPU here (nvidia-smi -L lists none). Nothing was checked." >&2
  exit 5
fi
nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDACHLAST_CUDA=ON -DDACHLAST_GUI=OFF \
  -DCMAKE_CUDA_ARCHITECTURES=native >/dev/null
cmake --build "$build" --target dachlast_cuda_gpu_test

failed=0
"$build/bin/dachlast_cuda_gpu_test" --gtest_brief=1 || failed=1
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    echo "=== compute-sanitizer --tool $tool"
    compute-sanitizer --tool "$tool" --error-exitcode 1 "$build/bin/dachlast_cuda_gpu_test" --gtest_brief=1 || failed=1
  done
else
  echo "compute-sanitizer is not installed: memory, races and barriers were not checked on the GPU."
fi
exit $failed
