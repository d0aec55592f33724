#!/bin/bash
# What scripts/gpu-check.sh would do with a GPU and without one; nothing is built or run.
#   gpu_check_test.sh SCRIPT
set -u
script=$1
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $1"
  cat "$scratch/out"
  exit 1
}
expect() { grep -qF -- "$1" "$scratch/out" || fail "no '$1'"; }

# nvidia-smi of a made-up H100, and of a computer whose driver finds nothing.
mkdir "$scratch/gpu" "$scratch/none"
printf '#!/bin/sh\necho "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0)"\n' >"$scratch/gpu/nvidia-smi"
printf '#!/bin/sh\necho "No devices were found"\nexit 6\n' >"$scratch/none/nvidia-smi"
printf '#!/bin/sh\n' >"$scratch/gpu/compute-sanitizer"
printf '#!/bin/sh\n' >"$scratch/gpu/nvcc"
chmod +x "$scratch"/*/*

PATH="$scratch/gpu:$PATH" "$script" --dry-run >"$scratch/out" 2>&1 || fail "exit code $? with a GPU"
for step in "kernels and runtime" "compute-sanitizer, memcheck" "compute-sanitizer, racecheck" "same story" "roofs" \
  "a measured run" "benchmarks"; do
  expect "$step"
done
total=$(sed -n 's/^all steps together: at most \([0-9]*\) s$/\1/p' "$scratch/out")
[ -n "$total" ] && [ "$total" -lt 480 ] || fail "limits add up to '$total' s: eight minutes are 480"

# A GPU and no toolkit: said, and nothing begun.
mkdir "$scratch/bare"
for tool in bash dirname env grep mktemp rm; do ln -s "$(command -v $tool)" "$scratch/bare/$tool"; done
cp "$scratch/gpu/nvidia-smi" "$scratch/bare"
PATH="$scratch/bare" CUDA_HOME=/nonexistent "$script" --dry-run >"$scratch/out" 2>&1
[ $? -eq 5 ] || fail "exit code without nvcc"
expect "no nvcc"

PATH="$scratch/none:$PATH" "$script" --dry-run >"$scratch/out" 2>&1
[ $? -eq 5 ] || fail "exit code without a GPU"
expect "no NVIDIA GPU here"
expect "kernels, emulated"
grep -q compute-sanitizer "$scratch/out" && fail "a sanitizer for GPUs without one"
echo "all good"
