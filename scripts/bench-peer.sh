#!/usr/bin/env bash
# Runs `dachlast run` and llama.cpp by turns on the shape of Llama 3.2 1B and prints both, with the DRAM read bandwidth
# that `dachlast run` probes between its own points. Downloads nothing; the random weights for llama.cpp are written once
# (4.5 GB) and kept.
#   scripts/bench-peer.sh LLAMA-BENCH [dachlast [rounds [folder for the weights [cases]]]]
#     default: build/release/bin/dachlast, 3 rounds, ${TMPDIR:-/tmp}/dachlast-peer, all cases
#   cases is a regular expression of the names in the first column: '^(prefill|decode) ' are the quick ones, 15 s each.
# Decode of a batch needs llama-batched-bench beside llama-bench. llama.cpp's cache is in its default f16 where ours is
# in bf16, and in q8_0 where ours is in int8.
# Build the peer for this computer: cmake -DGGML_NATIVE=ON -DCMAKE_BUILD_TYPE=Release. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
peer=${1:-}
program=${2:-build/release/bin/dachlast}
rounds=${3:-3}
folder=${4:-${TMPDIR:-/tmp}/dachlast-peer}
cases=${5:-.}
if [[ ! -x $peer ]]; then
  echo "bench-peer: name a built llama-bench: scripts/bench-peer.sh .../bin/llama-bench" >&2
  exit 2
fi
if [[ ! -x $program ]]; then
  echo "bench-peer: no program $program. Build it first: cmake --preset release && cmake --build --preset release" >&2
  exit 2
fi
batched=$(dirname "$peer")/llama-batched-bench
long_decode=$folder/peer-long-decode
mkdir -p "$folder"
threads=$(nproc)
results=$folder/results.jsonl
: >"$results"

weights() {
  # Under another name until it is whole: a file cut short by Ctrl-C is not taken for one.
  [[ -f $folder/$1.gguf ]] && return
  scripts/random-gguf.py "$1" "$folder/$1.part"
  mv "$folder/$1.part" "$folder/$1.gguf"
}

# note NAME PHASE PEER-KEY: one line of results from ours.json and peer.json.
note() {
  python3 - "$@" "$folder" >>"$results" <<'PYTHON'
import json, sys
name, phase, key, folder = sys.argv[1:]
run = json.load(open(f"{folder}/ours.json"))
[rate] = [point["tokens_per_s"] for point in run["points"] if point["phase"] == phase]
dram = [roof["bytes_per_s"] for roof in run["device"]["roofs"]["bandwidths"]
        if roof["level"] == "DRAM" and roof["pattern"] == "read" and roof["threads"] == run["device"]["threads"]]
lines = open(f"{folder}/peer.json").read()
peer = json.loads(lines) if lines.lstrip().startswith("[") else [json.loads(lines.strip().splitlines()[-1])]
print(json.dumps({"name": name, "ours": rate, "peer": peer[-1][key], "read": dram[0]}))
PYTHON
}

# The peer's decode behind a long cache, compiled against the tree that llama-bench was built in (…/build/bin).
build_long_decode() {
  [[ -x $long_decode ]] && return
  local libraries tree
  libraries=$(cd "$(dirname "$peer")" && pwd)
  tree=$libraries/../..
  [[ -f $tree/include/llama.h ]] || return 1
  g++ -O2 -std=c++20 -I"$tree/include" -I"$tree/ggml/include" scripts/peer-long-decode.cpp -L"$libraries" -lllama -lggml \
    -lggml-base -Wl,-rpath,"$libraries" -o "$long_decode"
}

# compare NAME PHASE WEIGHTS-FILE OUR-OPTIONS PEER-OPTIONS
compare() {
  local name=$1 phase=$2 file=$3
  [[ $name =~ $cases ]] || return 0
  if [[ $phase == batch && ! -x $batched ]]; then
    echo "bench-peer: left out '$name': no $batched" >&2
    return 0
  fi
  if [[ $phase == long ]] && ! build_long_decode; then
    echo "bench-peer: left out '$name': no llama.h two folders above $(dirname "$peer")" >&2
    return 0
  fi
  weights "$file"
  echo "round $round: $name" >&2
  local ours=$phase
  [[ $phase == batch || $phase == long ]] && ours=decode
  # shellcheck disable=SC2086  # options are words
  "$program" run --model llama-3.2-1b --phase "$ours" $4 --threads "$threads" --seconds-per-point 4 \
    --output "$folder/run.dachlast" --overwrite --progress none --json >"$folder/ours.json"
  if [[ $phase == batch ]]; then
    # shellcheck disable=SC2086
    "$batched" -m "$folder/$file.gguf" -t "$threads" $5 --output-format jsonl 2>/dev/null | grep '^{' >"$folder/peer.json"
    note "$name" "$ours" speed_tg
  elif [[ $phase == long ]]; then
    # shellcheck disable=SC2086
    "$long_decode" "$folder/$file.gguf" $5 "$threads" 16 >"$folder/peer.json"
    note "$name" "$ours" median_ts
  else
    # shellcheck disable=SC2086
    "$peer" -m "$folder/$file.gguf" -t "$threads" $5 -o json 2>/dev/null >"$folder/peer.json"
    note "$name" "$ours" avg_ts
  fi
}

for ((round = 1; round <= rounds; ++round)); do
  for pair in bf16=BF16 int8=Q8_0 int4=Q4_0 int4:128=Q4_0; do
    ours=${pair%=*} file=${pair#*=}
    compare "prefill 512, $ours ($file)" prefill "$file" "--dtype $ours --context 512" "-p 512 -n 0 -r 2"
    # In the middle of what `dachlast run` measures: the same number of tokens in the cache.
    compare "decode at 512, $ours ($file)" decode "$file" "--dtype $ours --context 512" "-p 0 -n 32 -d 496 -r 2"
  done
  for pair in bf16=BF16 int8=Q8_0 int4=Q4_0; do
    ours=${pair%=*} file=${pair#*=}
    for n in 8 32; do
      compare "batch $n at 128, $ours ($file)" batch "$file" "--dtype $ours --context 128 --batch $n" \
        "-c $((n * 256)) -npp 112 -ntg 32 -npl $n"
    done
  done
  for kv in bf16=f16 int8=q8_0; do
    ours=${kv%=*} theirs=${kv#*=}
    compare "long prefill of 512 at 4096, bf16, KV $ours" prefill BF16 \
      "--dtype bf16 --context 4608 --depth 4096 --kv-dtype $ours" "-p 512 -n 0 -d 4096 -r 1 -fa on -ctk $theirs -ctv $theirs"
    for n in 8192 32768; do
      compare "long decode at $n, bf16, KV $ours" long BF16 "--dtype bf16 --context $n --kv-dtype $ours" "$n $theirs"
    done
  done
done
python3 - "$results" <<'PYTHON'
import json, statistics, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
print("| work | dachlast tokens/s | llama.cpp tokens/s | ratio | least … most | DRAM read GB/s |")
print("|---|---|---|---|---|---|")
for name in dict.fromkeys(row["name"] for row in rows):
    of = [row for row in rows if row["name"] == name]
    ratios = [row["ours"] / row["peer"] for row in of]
    median = lambda key: statistics.median(row[key] for row in of)
    print(f"| {name} | {median('ours'):.1f} | {median('peer'):.1f} | {statistics.median(ratios):.2f} |"
          f" {min(ratios):.2f} … {max(ratios):.2f} | {median('read') / 1e9:.1f} |")
PYTHON
