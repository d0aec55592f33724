#!/usr/bin/env bash
# Builds all that runs on a GPU and checks it there, in one call of less than eight minutes: the tests of kernels and runtime, the
# same under compute-sanitizer where it is installed, the engine itself, the roofs of the GPU, and benchmarks against roofs
# measured in the same run, with the targets beside them. Every step has a limit, and the limits add up to less than eight minutes.
# Fails where anything fails. Without a GPU it runs the same on the host, under emulation, says so, and exits 5.
#   scripts/gpu-check.sh [--dry-run] [BUILD_FOLDER]      --dry-run: says what would run, and for how long at most
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
dry_run=0
if [ "${1:-}" = --dry-run ]; then
  dry_run=1
  shift
fi
build=${1:-build/gpu}
start=$SECONDS
failed=0
total=0
# Where NVIDIA's packages put nvcc and compute-sanitizer; few machines have it on their PATH.
export PATH="$PATH:${CUDA_HOME:-/usr/local/cuda}/bin"

# check NAME SECONDS COMMAND…
check() {
  local name=$1 limit=$2
  shift 2
  total=$((total + limit))
  if [ $dry_run -eq 1 ]; then
    echo "would run: $name, at most $limit s"
    return
  fi
  echo "=== $name  ($((SECONDS - start)) s)"
  # In a shell of its own, so that functions can be limited too.
  local status=0
  timeout -k 10 "$limit" bash -euo pipefail -c '"$@"' gpu-check.sh "$@" || status=$?
  [ $status -eq 0 ] && return
  echo "gpu-check.sh: FAILED: $name (exit $status, limit $limit s)" >&2
  failed=1
}
export build

if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "gpu-check.sh: no NVIDIA GPU here (nvidia-smi -L lists none). Nothing is checked on a GPU; the same sources are run on" \
       "the host instead."
  if [ $dry_run -eq 0 ]; then
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDACHLAST_GUI=OFF >/dev/null
    cmake --build "$build" --target dachlast_cuda_emulation_test dachlast_cuda_engine_test dachlast_gpu_run_test \
      dachlast_gpu_bench_emulated
  fi
  check "kernels, emulated" 180 "$build/bin/dachlast_cuda_emulation_test" --gtest_brief=1
  check "engine, emulated" 180 "$build/bin/dachlast_cuda_engine_test" --gtest_brief=1
  check "run and calibrate, emulated" 180 "$build/bin/dachlast_gpu_run_test" --gtest_brief=1
  check "benchmark, emulated; its times mean nothing" 60 "$build/bin/dachlast_gpu_bench_emulated" --tiny
  [ $failed -eq 0 ] || exit 1
  [ $dry_run -eq 1 ] || echo "gpu-check.sh: what can be checked without a GPU passed. Speed, and the driver's side of" \
    "everything, were not checked."
  exit 5
fi

if ! command -v nvcc >/dev/null; then
  echo "gpu-check.sh: a GPU, but no nvcc on the PATH or in ${CUDA_HOME:-/usr/local/cuda}/bin: install the CUDA toolkit, not its" \
    "runtime alone, or set CUDA_HOME. Nothing was checked." >&2
  exit 5
fi
results=$(mktemp -d)
export results
trap 'rm -rf "$results"' EXIT

# For this GPU alone: a quarter of nvcc's time. Several sources at once, as in a release: a third of g++'s.
build_all() {
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDACHLAST_CUDA=ON -DDACHLAST_GUI=OFF \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=8 -DCMAKE_CUDA_ARCHITECTURES=native >/dev/null
  cmake --build "$build" --target dachlast_cuda_gpu_test dachlast_gpu_bench dachlast_cuda dachlast_cublaslt dachlast_cli
}
story() {
  "$build/bin/dachlast" run --model stories-260k --gpu "$1" --phase none --json --output "$results/$1.dachlast" \
    >"$results/$1.json"
}
same_story() {
  story cuda
  story cpu
  python3 - "$results" <<'PY'
import json, sys
texts = [json.load(open(f"{sys.argv[1]}/{device}.json"))["generation"]["text"] for device in ("cuda", "cpu")]
print(texts[0])
sys.exit(0 if texts[0] == texts[1] else "the GPU continues the story otherwise than the CPU")
PY
}
export -f build_all story same_story

[ $dry_run -eq 1 ] || nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv
check "build" 170 build_all
check "kernels and runtime" 30 "$build/bin/dachlast_cuda_gpu_test" --gtest_brief=1
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    check "kernels under compute-sanitizer, $tool" 40 compute-sanitizer --tool "$tool" --error-exitcode 1 \
      "$build/bin/dachlast_cuda_gpu_test" --gtest_brief=1
  done
else
  echo "compute-sanitizer is not installed: memory, races and barriers were not checked on the GPU."
fi
check "the bundled model tells the same story on the GPU and on the CPU" 35 same_story
check "roofs of the GPU" 40 "$build/bin/dachlast" calibrate --gpu cuda
check "a measured run" 25 "$build/bin/dachlast" run --model stories-260k --gpu cuda --context 64,256 --kv paged \
  --repeat 5 --output "$results/run.dachlast"
check "benchmarks" 50 "$build/bin/dachlast_gpu_bench"

if [ $dry_run -eq 1 ]; then
  echo "all steps together: at most $total s"
else
  echo "=== done  ($((SECONDS - start)) s)"
fi
[ $failed -eq 0 ] || exit 1
