#!/usr/bin/env bash
# From nothing to an answer: installs what is missing, builds the release preset, measures this computer's roofs, runs the
# bundled trained model and a GPT-2-sized one, and writes dachlast-report.html into the current folder.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dachlast="$source_dir/build/release/bin/dachlast"

step() { printf '\n== %s\n' "$*" >&2; }

step "1/5 Packages"
"$source_dir/scripts/install-dependencies.sh" build >&2

step "2/5 Build: preset release"
(cd "$source_dir" && cmake --preset release && cmake --build --preset release) >&2

step "3/5 Roofs of this computer"
"$dachlast" calibrate --roofs-only

step "4/5 Models: stories-260k (trained, bundled) and gpt2 (shape of GPT-2 124M, random weights)"
"$dachlast" run --model stories-260k -o stories-260k.dachlast
"$dachlast" run --model gpt2 -o gpt2.dachlast

step "5/5 Report"
"$dachlast" report gpt2.dachlast -o dachlast-report.html
echo "Report: $PWD/dachlast-report.html"
