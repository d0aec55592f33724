#!/usr/bin/env bash
# Runs every fuzzer of the readers from the project's own samples, two at a time.
#   scripts/fuzz.sh [SECONDS [NAME…]]     default: 60 seconds each; NAME: config, csv, device, gguf, safetensors
# What a fuzzer finds is kept in build/fuzz/finds; what it learns in build/fuzz/corpus, where the next call begins.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
if (($# > 0)); then shift; fi
names=("$@")
((${#names[@]} > 0)) || names=(config csv device gguf safetensors)

declare -A samples=(
  [config]="core/model/catalog"
  [csv]="tests/data/reference"
  [device]="core/hardware/catalog"
  [gguf]="tests/data/gguf tests/data/gguf/malformed"
  [safetensors]="tests/data/safetensors"
)

cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DCMAKE_CXX_COMPILER=clang++-19 \
  -DCMAKE_UNITY_BUILD=ON -DDACHLAST_FUZZ=ON -DDACHLAST_SANITIZE=fuzzer-no-link,address,undefined >/dev/null
mapfile -t targets < <(printf 'dachlast_%s_fuzz\n' "${names[@]}")
cmake --build build/fuzz --target "${targets[@]}"

mkdir -p build/fuzz/finds
fuzz_one() {
  local name=$1 folders=$2
  mkdir -p "build/fuzz/corpus/$name"
  # Errors carry texts of bounded length: 512 MiB are plenty, and a reader that wants more is a find.
  # shellcheck disable=SC2086
  if ! "build/fuzz/bin/dachlast_${name}_fuzz" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -max_len=65536 \
    -artifact_prefix="build/fuzz/finds/$name-" "build/fuzz/corpus/$name" $folders >"build/fuzz/$name.log" 2>&1; then
    echo "fuzz: $name FAILED; the last lines of build/fuzz/$name.log:"
    tail -n 30 "build/fuzz/$name.log"
    return 1
  fi
  echo "fuzz: $name: $(grep -E '^Done ' "build/fuzz/$name.log" | tail -n 1)"
}
export -f fuzz_one
export seconds
for name in "${names[@]}"; do printf '%s\0%s\0' "$name" "${samples[$name]}"; done |
  xargs -0 -n 2 -P 2 bash -c 'fuzz_one "$0" "$1"'
