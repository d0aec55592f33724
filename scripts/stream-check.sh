#!/usr/bin/env bash
# Compares the DRAM bandwidth that `dachlast calibrate` measures with an independent STREAM, both in turn on this computer.
#   scripts/stream-check.sh [build folder [threads [rounds]]]     default: build/release, one thread a core, 15 rounds
# Exit code 0: they agree within 5 %; 1: they do not. Nothing else should run meanwhile; load is reported.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/release}
program=$build/bin/dachlast_stream_check
if [[ ! -f $build/CMakeCache.txt ]]; then
  echo "stream-check: no build in $build. Configure one first: cmake -S . -B $build -G Ninja" >&2
  exit 2
fi
if ! cmake --build "$build" --target dachlast_stream_check >&2; then
  echo "stream-check: the check was not built. It needs OpenMP and a build with -DDACHLAST_TESTS=ON." >&2
  exit 2
fi
# OpenMP's threads sleep between their turns, so that they do not disturb the probes.
OMP_WAIT_POLICY=passive "$program" "${@:2}"
