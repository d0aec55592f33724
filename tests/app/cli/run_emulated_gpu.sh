#!/bin/bash
# `run --gpu cuda` as people type it, on an emulated GPU: what the bundled model writes over every kind of cache is the CPU's,
# token by token.
#   run_emulated_gpu.sh DACHLAST FOLDER_OF_PLUGIN FOLDER_OF_DRIVER MODELS
set -u
dachlast=$1 models=$4
export DACHLAST_LIB_DIR=$2 LD_LIBRARY_PATH=$3
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export XDG_DATA_HOME=$scratch XDG_CACHE_HOME=$scratch

fail() {
  echo "FAILED: $1"
  cat out
  exit 1
}
# story DEVICE KV…  prints the tokens
story() {
  local device=$1
  shift
  "$dachlast" run --model stories-260k --phase none --gpu "$device" "$@" --json -o story.dachlast --overwrite \
    >out 2>err || { cat err >>out; fail "run --gpu $device $*"; }
  sed -n '/"generated_ids": \[/,/\]/p' out | tr -d ' \n'
}
# same ATTENTION_ON_GPU ATTENTION_ON_CPU OPTION…  the default kernels where a name is empty
same() {
  local gpu_kernel=$1 cpu_kernel=$2 on_gpu on_cpu
  shift 2
  on_gpu=$(story cuda ${gpu_kernel:+--attention "$gpu_kernel"} "$@") || exit 1
  on_cpu=$(story cpu ${cpu_kernel:+--attention "$cpu_kernel"} "$@") || exit 1
  [ ${#on_gpu} -gt 100 ] && [ "$on_gpu" = "$on_cpu" ] || fail "$*: the GPU writes '$on_gpu', the CPU '$on_cpu'"
  echo "the same with $*"
}

for kv in contiguous window:24 sink:4+24 offload:host:16 offload:file:16 recompute:40; do same "" "" --kv "$kv"; done
# Coarse caches tell roundings of the kernels apart: float on both sides, so that only what is stored is rounded.
for format in fp8 int8 int4 int8:channel; do same stream tiled --kv "paged:16,$format"; done
same "" "" --dtype bf16 --kv paged:16,bf16

# Latents, with random weights: measured on both, in the same operations.
"$dachlast" run --model "$models/deepseek2-mla/config.json" --gpu cuda --context 8 --repeat 2 --json -o latent.dachlast \
  >out 2>&1 || fail "latent attention"
grep -q latent_up out || fail "no operation of latent attention"

# A what-if, held against the model as it is.
"$dachlast" run --model stories-260k --gpu cuda --context 16 --repeat 2 --what-if swiftkv:3 --json -o what-if.dachlast \
  >out 2>&1 || fail "--what-if swiftkv:3"
grep -q '"what_if"' out || fail "no comparison of the what-if"

# What no GPU takes is refused by name, before anything is measured.
"$dachlast" run --model stories-260k --gpu cuda --kv-break-even -o refused.dachlast >out 2>&1 &&
  fail "--kv-break-even on a GPU"
grep -q "CPU only" out || fail "no reason"

"$dachlast" calibrate --gpu cuda >out 2>&1 || fail "calibrate --gpu cuda"
grep -q "emulated on the host" out || fail "no name of the GPU"
