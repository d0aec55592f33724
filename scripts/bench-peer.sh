#!/usr/bin/env bash
# Runs `dachlast run` and llama.cpp's llama-bench by turns on the shape of Llama 3.2 1B and prints both, with the DRAM read
# bandwidth that `dachlast run` probes between its own points. Downloads nothing; the random weights for llama-bench are
# written once (5 GB) and kept.
#   scripts/bench-peer.sh LLAMA-BENCH [dachlast [rounds [folder for the weights]]]
#     default: build/release/bin/dachlast, 3 rounds, ${TMPDIR:-/tmp}/dachlast-peer
# Build the peer for this computer: cmake -DGGML_NATIVE=ON -DCMAKE_BUILD_TYPE=Release. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
peer=${1:-}
program=${2:-build/release/bin/dachlast}
rounds=${3:-3}
folder=${4:-${TMPDIR:-/tmp}/dachlast-peer}
if [[ ! -x $peer ]]; then
  echo "bench-peer: name a built llama-bench: scripts/bench-peer.sh .../bin/llama-bench" >&2
  exit 2
fi
if [[ ! -x $program ]]; then
  echo "bench-peer: no program $program. Build it first: cmake --preset release && cmake --build --preset release" >&2
  exit 2
fi
mkdir -p "$folder"
threads=$(nproc)
context=512
generated=32
results=$folder/results.jsonl
: >"$results"
for type in BF16 Q8_0 Q4_0; do
  # Under another name until it is whole: a file cut short by Ctrl-C is not taken for one.
  if [[ ! -f $folder/$type.gguf ]]; then
    scripts/random-gguf.py "$type" "$folder/$type.part"
    mv "$folder/$type.part" "$folder/$type.gguf"
  fi
done
for ((round = 1; round <= rounds; ++round)); do
  for pair in bf16=BF16 int8=Q8_0 int4=Q4_0 int4:128=Q4_0; do
    ours=${pair%=*}
    theirs=${pair#*=}
    echo "round $round: $ours" >&2
    "$program" run --model llama-3.2-1b --dtype "$ours" --context $context --threads "$threads" --seconds-per-point 6 \
      --output "$folder/run.dachlast" --overwrite --progress none --json >"$folder/ours.json"
    # Decode in the middle of what `dachlast run` measures: the same number of tokens in the cache.
    "$peer" -m "$folder/$theirs.gguf" -t "$threads" -p $context -n 0 -r 3 -o json >"$folder/prefill.json"
    "$peer" -m "$folder/$theirs.gguf" -t "$threads" -p 0 -n $generated -d $((context - generated / 2)) -r 2 -o json \
      >"$folder/decode.json"
    python3 - "$ours" "$theirs" "$folder" >>"$results" <<'PYTHON'
import json, sys
ours, theirs, folder = sys.argv[1:]
read = lambda name: json.load(open(f"{folder}/{name}.json"))
run = read("ours")
rate = {point["phase"]: point["tokens_per_s"] for point in run["points"]}
dram = [roof["bytes_per_s"]["median"] for roof in run["device"]["roofs"]["bandwidths"]
        if roof["level"] == "DRAM" and roof["pattern"] == "read" and roof["threads"] == run["device"]["threads"]]
print(json.dumps({"ours": ours, "theirs": theirs, "read": dram[0], "prefill": rate["prefill"], "decode": rate["decode"],
                  "weights": run["model"]["weight_bytes"], "peer_prefill": read("prefill")[0]["avg_ts"],
                  "peer_decode": read("decode")[0]["avg_ts"]}))
PYTHON
  done
done
python3 - "$results" <<'PYTHON'
import json, statistics, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
pairs = list(dict.fromkeys((row["ours"], row["theirs"]) for row in rows))
print("| weights | llama.cpp | prefill tokens/s | llama.cpp | ratio | decode tokens/s | llama.cpp | ratio | DRAM read GB/s |"
      " weights read, of it |")
print("|---|---|---|---|---|---|---|---|---|---|")
for ours, theirs in pairs:
    of_pair = [row for row in rows if (row["ours"], row["theirs"]) == (ours, theirs)]
    median = lambda value: statistics.median(value(row) for row in of_pair)
    print(f"| {ours} | {theirs} | {median(lambda r: r['prefill']):.0f} | {median(lambda r: r['peer_prefill']):.0f}"
          f" | {median(lambda r: r['prefill'] / r['peer_prefill']):.2f} | {median(lambda r: r['decode']):.1f}"
          f" | {median(lambda r: r['peer_decode']):.1f} | {median(lambda r: r['decode'] / r['peer_decode']):.2f}"
          f" | {median(lambda r: r['read']) / 1e9:.1f} | {median(lambda r: r['decode'] * r['weights'] / r['read']):.0%} |")
PYTHON
