#!/usr/bin/env bash
# Builds all that runs on a GPU and checks it there, in one call of less than eight minutes: the tests of kernels and runtime, the
# same under compute-sanitizer where it is installed, the engine itself, and benchmarks against roofs measured in the same run,
# with the targets beside them. Fails where anything fails. Without a GPU it runs the same on the host, under emulation, says so,
# and exits 5.
#   scripts/gpu-check.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/gpu}
start=$SECONDS
failed=0

step() {
  echo "=== $*  ($((SECONDS - start)) s)"
}
# check NAME SECONDS COMMAND…
check() {
  local name=$1 limit=$2
  shift 2
  step "$name"
  if timeout -k 10 "$limit" "$@"; then return; fi
  echo "gpu-check.sh: FAILED: $name (exit $?, limit $limit s)" >&2
  failed=1
}

if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "gpu-check.sh: no NVIDIA GPU here (nvidia-smi -L lists none). Nothing is checked on a GPU; the same sources are run on" \
       "the host instead."
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDACHLAST_GUI=OFF >/dev/null
  cmake --build "$build" --target dachlast_cuda_emulation_test dachlast_cuda_engine_test dachlast_gpu_run_test \
    dachlast_gpu_bench_emulated
  check "kernels, emulated" 120 "$build/bin/dachlast_cuda_emulation_test" --gtest_brief=1
  check "engine, emulated" 120 "$build/bin/dachlast_cuda_engine_test" --gtest_brief=1
  check "run, emulated" 120 "$build/bin/dachlast_gpu_run_test" --gtest_brief=1
  check "benchmark, emulated; its times mean nothing" 60 "$build/bin/dachlast_gpu_bench_emulated" --tiny >/dev/null
  [ $failed -eq 0 ] || exit 1
  echo "gpu-check.sh: what can be checked without a GPU passed. Speed, and the driver's side of everything, were not checked."
  exit 5
fi

nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv
step "build"
# For this GPU alone: a quarter of the time.
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDACHLAST_CUDA=ON -DDACHLAST_GUI=OFF \
  -DCMAKE_CUDA_ARCHITECTURES=native >/dev/null
cmake --build "$build" --target dachlast_cuda_gpu_test dachlast_gpu_bench dachlast_cuda dachlast_cublaslt dachlast_cli

check "kernels and runtime" 60 "$build/bin/dachlast_cuda_gpu_test" --gtest_brief=1
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    check "kernels under compute-sanitizer, $tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 1 \
      "$build/bin/dachlast_cuda_gpu_test" --gtest_brief=1
  done
else
  echo "compute-sanitizer is not installed: memory, races and barriers were not checked on the GPU."
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
story() {
  "$build/bin/dachlast" run --model stories-260k --gpu "$1" --phase none --json --output "$results/$1.dachlast" "${@:2}" \
    >"$results/$1.json"
}
same_story() {
  story cuda && story cpu && python3 - "$results" <<'PY'
import json, sys
texts = [json.load(open(f"{sys.argv[1]}/{device}.json"))["generation"]["text"] for device in ("cuda", "cpu")]
print(texts[0])
sys.exit(0 if texts[0] == texts[1] else "the GPU continues the story otherwise than the CPU")
PY
}
step "the bundled model tells the same story on the GPU and on the CPU"
same_story || failed=1
check "a measured run" 60 "$build/bin/dachlast" run --model stories-260k --gpu cuda --context 64,256 --kv paged \
  --repeat 5 --output "$results/run.dachlast"
check "benchmarks" 120 "$build/bin/dachlast_gpu_bench"

step "done"
[ $failed -eq 0 ] || exit 1
