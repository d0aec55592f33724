#!/usr/bin/env bash
# Drives the program as a person would: measures the bundled model, reads the run back in every format, kills and interrupts
# runs, and feeds it what it must refuse.   end_to_end.sh PROGRAM
set -uo pipefail
program=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_CONFIG_HOME=$scratch/config
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# expect CODE WORDS... : runs the program, output in ./out and ./err
expect() {
  local code=$1
  shift
  "$program" "$@" >out 2>err
  local got=$?
  ((got == code)) || fail "'$*' exited $got, not $code: $(tail -n 3 err)"
}

contains() { grep -qF -- "$2" "$1" || fail "$1 of the last command lacks '$2'"; }

expect 0 calibrate --seconds 1 --roofs-only
contains out "DRAM"
expect 0 run --model stories-260k --context 64 --repeat 3 -o a.dachlast --json
contains out '"schema": "dachlast.run/1"'
contains out '"bound":'
contains out 'Once upon a time'
head -c 1 out | grep -q '{' || fail "stdout of --json begins with something else than JSON"
if ! /sbin/ldconfig -p | grep -q 'libcuda\.so\.1'; then  # with a driver the run would work
  expect 5 run --gpu cuda --model stories-260k --context 16
  contains err "no NVIDIA driver"
fi
expect 0 run --model stories-260k --context 64 --repeat 8 -o b.dachlast
contains out "bound"
contains out "The model wrote"

for format in table md json jsonl csv; do expect 0 show a.dachlast --format $format; done
for view in overview ops roofline memory configuration; do expect 0 show a.dachlast --view $view; done

# A project of both runs, written by hand as by the window.
cat >p.dachlast-project <<'JSON'
{"schema": "dachlast.project/1", "note": "one bundled model", "baseline": 0, "shown": 1,
 "runs": [{"file": "a.dachlast", "name": "three repeats"}, {"file": "b.dachlast"}, {"file": "gone.dachlast"}],
 "pins": [{"model": "llama-3.1-8b", "device": "h100-sxm5-80gb", "context_tokens": 8192, "batch": 4}]}
JSON
expect 0 show p.dachlast-project
contains out "the baseline is three repeats."
contains err "gone.dachlast"
for format in md json jsonl csv; do expect 0 show p.dachlast-project --format $format; done
expect 0 report p.dachlast-project -o p.html --timestamp 2026-01-01T00:00:00Z
grep -q "one bundled model" p.html || fail "the report of a project lacks its note"
echo '{"schema": "dachlast.project/1", "runs": [], "baseline": 4}' >damaged.dachlast-project
expect 6 show damaged.dachlast-project
expect 0 export a.dachlast --to trace -o trace.json
grep -q '"traceEvents"' trace.json || fail "the trace holds no events"
for view in roofline phases memory; do
  expect 0 export a.dachlast --to svg --view $view -o $view.svg
  grep -q '<svg' $view.svg || fail "the picture of $view is no SVG"
done
cmp -s roofline.svg phases.svg && fail "two views are one picture"
expect 2 export a.dachlast --to svg --view kv
contains err "It has: "
expect 2 export a.dachlast --to jsonl --view phases
contains err "Add --to svg"
expect 6 show a.dachlast --view kv
contains err "--serve"
expect 0 export a.dachlast --to csv --view roofline -o roofline.csv
grep -q '^point,' roofline.csv && grep -q '^roof,' roofline.csv || fail "the data of the roofline lack points or roofs"
expect 0 export a.dachlast --to json --view phases -o phases.json
grep -q '"schema": "dachlast.chart/1"' phases.json || fail "the data of the phases are of no schema"
if [[ -e $(dirname "$program")/../lib/dachlast/libdachlast_png.so ]]; then
  expect 0 export a.dachlast --to png -o roofline.png
  [[ $(head -c 4 roofline.png | tail -c 3) == PNG ]] || fail "the picture of the roofline is no PNG"
  expect 0 export a.dachlast --to png --bare --scale 1 -o bare.png
  (($(stat -c %s bare.png) < $(stat -c %s roofline.png))) || fail "a bare picture is no smaller"
else
  expect 5 export a.dachlast --to png -o roofline.png
  contains err "This build draws none"
fi
expect 2 export a.dachlast --to svg --scale 7
contains err "Use 1, 2 or 3"
expect 0 report a.dachlast -o a.html --timestamp 2026-01-01T00:00:00Z
expect 0 report a.dachlast -o b.html --timestamp 2026-01-01T00:00:00Z
cmp -s a.html b.html || fail "two reports of one run differ"
grep -q "default-src 'none'" a.html || fail "the report has no strict CSP"
grep -qE '(src|href)="(https?:)?//' a.html && fail "the report refers to something outside itself"
expect 0 advise a.dachlast
contains out "as measured"
expect 0 advise --model stories-260k --gpu this-machine --context 64 --verify --rounds 1
contains out "Run on this computer"
expect 0 advise --model llama-3.1-8b --gpu h100 --json
contains out '"schema": "dachlast.advice/1"'
expect 0 compare a.dachlast a.dachlast
expect 0 run --model stories-260k --compare-uncached --prompt-tokens 4 --generate 12 --context 16 --repeat 2 -o u.dachlast
contains out "KV cache"
# The system refuses memory in the middle of a run: 1.4 GiB of address space are plenty for one sequence, not for 5,000. (A
# sanitizer's shadow takes terabytes: such a build does not start at all.)
if (ulimit -v 1500000; "$program" --version) >out 2>err; then
  (ulimit -v 1500000; "$program" run --model stories-260k --context 64 --batch 1,5000 --repeat 2 -o m.dachlast) >out 2>err
  code=$?
  ((code == 3)) || fail "a run without memory exited $code, not 3: $(tail -n 3 err)"
  contains err "bytes"
  contains err "Use a shorter context, a smaller batch"
  expect 0 show m.dachlast
  contains out "partial (2 of 4 points)"
fi
expect 0 run --model gpt2 --dry-run
contains out "FITS"
test -e gpt2.dachlast && fail "a dry run wrote a file"

# Caches behind a second tier, and what-ifs.
expect 0 run --model stories-260k --context 300 --repeat 3 --kv offload:file:64 --scratch "$scratch" -o file.dachlast
contains out "Fetched"
contains out "a file of"
expect 0 show file.dachlast --format json
contains out '"read_bytes_per_step":'
expect 0 run --model stories-260k --context 300 --repeat 3 --phase decode --kv recompute:64 -o anew.dachlast
contains out "Recomputed"
expect 0 run --model stories-260k --phase none --serve 4 --prompt-tokens 64 --kv offload:host:32 -o tiers.dachlast
contains out "Served requests"
expect 0 show tiers.dachlast --view kv
contains out "Token slots in use"
expect 0 run --model stories-260k --phase none --context 128,448 --repeat 3 --kv offload:host:64 --kv-break-even -o even.dachlast
contains out "Transfer:"  # numbers decide where the sentence wraps
for change in shared-layers:2 swiftkv:3; do
  expect 0 run --model stories-260k --context 200 --repeat 3 --what-if $change -o $change.dachlast
  for format in table md json; do
    expect 0 show $change.dachlast --format $format
    contains out "not the model's"
  done
done
expect 2 run --model stories-260k --what-if swiftkv:5   # it has five layers
expect 2 run --model stories-260k --what-if swiftkv:2 --serve 2
expect 2 run --model stories-260k --scratch /tmp
expect 0 run --model stories-260k --context 300 --depth 200 --repeat 3 -o depth.dachlast
contains out "100 of 300 tokens"
expect 0 show depth.dachlast --json
contains out '"depth_tokens": 200'
expect 2 run --model stories-260k --context 200 --depth 200
expect 2 run --model stories-260k --depth 20 --kv window:64
expect 2 run --model stories-260k --depth 20 --phase decode
expect 2 run --model stories-260k --kv-break-even
expect 1 run --model stories-260k --kv offload:file --scratch /proc/nowhere
contains err "/proc/nowhere"
# The limit on files, 3,000 KiB, is met by the second of two contexts: the first one's points stay. 8 sequences of 128 tokens take
# 5 layers of 64 blocks of 4,096 B, 1,280 KiB, and of 512 tokens four times that.
(ulimit -f 3000 && "$program" run --model stories-260k --context 128,512 --batch 8 --repeat 3 --phase decode \
  --kv offload:file:16 --scratch "$scratch" -o limited.dachlast >out 2>err)
got=$?
((got == 3)) || fail "a limit on files ended with $got: $(tail -n 3 err)"
contains err "ulimit -f"
expect 0 show limited.dachlast
contains out "partial"

# Killed in the middle: what was finished stays readable.
"$program" run --model stories-260k --context 16..512+16 --repeat 400 -o killed.dachlast >/dev/null 2>&1 &
victim=$!
for _ in $(seq 100); do
  sleep 0.1
  "$program" show killed.dachlast --json 2>/dev/null | grep -q '"phase"' && break
done
kill -9 $victim && wait $victim 2>/dev/null
expect 0 show killed.dachlast
contains err "partial"
contains out "partial"

# Interrupted: exit 130, finished points kept.
"$program" run --model stories-260k --context 16..512+16 --repeat 400 -o stopped.dachlast >/dev/null 2>err &
victim=$!
sleep 2
kill -INT $victim
wait $victim
code=$?
((code == 130)) || fail "an interrupted run exited $code"
expect 0 show stopped.dachlast

expect 2 run --model stories-260k -o a.dachlast
contains err "exists"
expect 1 run --model stories-260k -o missing/folder.dachlast
expect 2 run --model stories-260k --context 513
contains err "512"
expect 2 run --model stories-260k --batch -1
expect 3 run --model llama-3.1-405b --dry-run
expect 3 run --model llama-3.1-405b -o big.dachlast
test -e big.dachlast && fail "a refused run left a file"
expect 1 report a.dachlast -o /dev/full
expect 6 show /dev/null
head -c 3000 a.dachlast >cut.dachlast
expect 6 show cut.dachlast
echo '{"model_type": "llama"' >broken.json
expect 6 run --model ./broken.json
echo '{"model_type": "teapot", "hidden_size": 8}' >unknown.json
expect 6 run --model ./unknown.json
contains err "teapot"
expect 0 run --model stories-260k --context 512 --repeat 8 --attention reference --threads 1 --phase prefill -o slow.dachlast
expect 0 run --model stories-260k --context 512 --repeat 8 --phase prefill -o fast.dachlast
expect 4 compare fast.dachlast slow.dachlast --fail-on prefill:1%
contains err "regression"

((failures == 0)) && echo "all checks passed"
exit $((failures > 0))
