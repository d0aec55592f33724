#!/usr/bin/env bash
# Builds the engine's tests (kernels, caches, engine, collectors, run files, workbench) with sanitizers and runs them.
#   scripts/sanitize.sh address     AddressSanitizer and UBSan
#   scripts/sanitize.sh thread      ThreadSanitizer
# Build folders: build/sanitize-address, build/sanitize-thread. The last lines say which test programs were clean.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:?"say which: address or thread"}
tests=(base probe kv_cache engine calibration collect trace store workbench)
case "$kind" in
  address)
    flags=address,undefined
    tests+=(kernels)  # they run on the thread that calls them: nothing for ThreadSanitizer
    ;;
  thread) flags=thread ;;
  *) echo "sanitize.sh: $kind is neither address nor thread" >&2; exit 2 ;;
esac
build=build/sanitize-$kind

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1" -DDACHLAST_SANITIZE="$flags" \
  -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=8 -DDACHLAST_GUI=OFF -DDACHLAST_CUDA=OFF > /dev/null
targets=()
for test in "${tests[@]}"; do targets+=("dachlast_${test}_test"); done
cmake --build "$build" --parallel "${JOBS:-$(nproc)}" --target "${targets[@]}"

export ASAN_OPTIONS=detect_leaks=1:check_initialization_order=1
export UBSAN_OPTIONS=print_stacktrace=1
# libgomp, which oneDNN starts on the calling thread alone, was built without instrumentation.
export TSAN_OPTIONS=halt_on_error=0:ignore_noninstrumented_modules=1
failed=0
for test in "${tests[@]}"; do
  log="$build/$test.log"
  if timeout 1200 "$build/bin/dachlast_${test}_test" --gtest_brief=1 > "$log" 2>&1; then
    echo "clean   $test"
  else
    echo "FINDING $test: $log"
    failed=1
  fi
done
exit $failed
