#!/bin/bash
# attach from end to end on a program whose GPU is made up: the stand-ins for CUPTI and the driver are found before real ones.
#   attach_gpu.sh DACHLAST GPU_PROGRAM FOLDER_OF_STAND_INS
set -u
dachlast=$1 program=$2
export LD_LIBRARY_PATH=$3
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

fail() {
  echo "FAILED: $1"
  cat out
  exit 1
}
expect() { grep -qF -- "$1" out || fail "no '$1'"; }
refuse() { grep -qF -- "$1" out && fail "'$1' where there should be none"; return 0; }

"$dachlast" attach -o a.dachlast -- "$program" exit >out 2>&1
[ $? -eq 5 ] || fail "the exit code of the program is 5"
expect "Phases on each GPU"
expect "Launch gap"
expect "void attend<128>(float*)"
expect "cudaLaunchKernel"
expect "note: CUPTI records no memory pools"

"$dachlast" show a.dachlast --json >out || fail "show"
number() { sed -n "/\"$1\": \[/,/\]/s/.*\"$2\": \([0-9.e+-]*\),*\$/\1/p" out | head -n 1; }
# 50 and 20 microseconds of kernels in one step, and perhaps 10 of another thread's beside them.
awk -v share="$(number phase_devices busy_share)" -v span="$(number phase_devices span_s)" \
  'BEGIN { busy = share * span; exit !(busy > 65e-6 && busy < 85e-6) }' || fail "busy time of the phase"
[ "$(number phase_devices steps)" = 1 ] || fail "one step"
[ "$(number gpu_memory peak_bytes)" = 1048576.0 ] || fail "one MiB of memory at the peak"
[ "$(number host_times n)" = 3 ] || fail "three launches"
"$dachlast" show a.dachlast --format csv >out || fail "show as CSV"
expect "gemm_bf16,GEMM,1"

"$dachlast" attach --counters traffic -o c.dachlast -- "$program" exit >out 2>&1
expect "Counters of 3 kernels"
refuse "Phases on each GPU"

"$dachlast" attach --counters sampling -o s.dachlast -- "$program" exit >out 2>&1
[ $? -eq 5 ] || fail "the exit code of the program is 5"
expect "Samples of each GPU"
expect "Phases on each GPU"

FAKE_CUPTI_SAMPLES_BY_TIME=1 "$dachlast" attach --counters sampling -o s.dachlast --force -- "$program" sample >out 2>&1
[ $? -eq 5 ] || fail "the exit code of the program is 5"
expect "Sampled counters"
expect "decode on GPU 0: "
expect "not reached"
"$dachlast" show s.dachlast --json >out || fail "show"
# 200 of 200.07 ms in one kernel, less what the clocks leave open at both ends, which is more on a busy machine; the first row is the
# phase.
awk -v covered="$(number sampled coverage)" -v uncertain="$(number sampled_devices uncertainty_s)" \
  'BEGIN { exit !(uncertain >= 0 && uncertain < 0.08 && covered > 0.98 - 2 * uncertain / 0.2 && covered <= 1) }' ||
  fail "coverage of decode $(number sampled coverage), or the tie of the clocks $(number sampled_devices uncertainty_s)"
[ "$(number sampled_devices unplaced)" = 0 ] || fail "every sample has its place"

FAKE_CUPTI_REFUSES_SAMPLES=35 "$dachlast" attach --counters sampling -o t.dachlast -- "$program" exit >out 2>&1
expect "no samples: "
expect "Phases on each GPU"

FAKE_CUPTI_REFUSES=35 "$dachlast" attach --counters traffic -o r.dachlast -- "$program" exit >out 2>&1
[ $? -eq 5 ] || fail "the exit code of the program is 5"
expect "restricted to administrators"
expect "Phases on each GPU"

"$dachlast" attach --counters trafic -o x.dachlast -- "$program" exit >out 2>&1
[ $? -eq 2 ] || fail "an unknown set is a usage error"
echo "all good"
