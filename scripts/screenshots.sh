#!/usr/bin/env bash
# Writes pictures of every page of the window, light and dark, small and large, into a folder:
#   scripts/screenshots.sh BUILD_FOLDER [FOLDER] [RUN.dachlast]
# Without a run a short one is measured first. Needs no screen.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?usage: screenshots.sh BUILD_FOLDER [FOLDER] [RUN.dachlast]}
folder=${2:-$build/screenshots}
run=${3:-}

cmake --build "$build" --target dachlast_screenshots dachlast_cli
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [[ -z "$run" ]]; then
  run=$scratch/example.dachlast
  "$build/bin/dachlast" run --model gpt2 --context 128,512 --repeat 3 -q -o "$run" >/dev/null
fi
export QT_QPA_PLATFORM=offscreen XDG_CONFIG_HOME=$scratch XDG_RUNTIME_DIR=$scratch
"$build/bin/dachlast_screenshots" "$folder" "$run"
QT_SCALE_FACTOR=2 "$build/bin/dachlast_screenshots" "$folder/200-percent" "$run"
echo "Pictures in $folder"
