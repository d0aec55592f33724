#!/usr/bin/env bash
# Writes pictures of every page of the window and of its dialogs, light and dark, small and large, in German, at 200 %, and of
# the first screen of a report where there is a chromium, into
# a folder:
#   scripts/screenshots.sh BUILD_FOLDER [FOLDER] [RUN.dachlast...]
# Without runs short ones are measured first, alike but for the type of their weights, so that every point can be held against
# the baseline's; the second serves requests too. Needs no screen.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?usage: screenshots.sh BUILD_FOLDER [FOLDER] [RUN.dachlast]}
folder=${2:-$build/screenshots}
runs=("${@:3}")

cmake --build "$build" --target dachlast_screenshots dachlast_cli
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [[ ${#runs[@]} -eq 0 ]]; then
  runs=("$scratch/before.dachlast" "$scratch/after.dachlast")
  measure=("$build/bin/dachlast" run --model gpt2 --context "128,512" --kv paged:16 --repeat 7 -q)
  "${measure[@]}" --dtype f32 -o "${runs[0]}" >/dev/null
  "${measure[@]}" --dtype bf16 --serve 12 --shared-prefix 48 --generate 24 -o "${runs[1]}" >/dev/null
fi
export QT_QPA_PLATFORM=offscreen XDG_CONFIG_HOME=$scratch XDG_RUNTIME_DIR=$scratch XDG_STATE_HOME=$scratch
"$build/bin/dachlast_screenshots" "$folder" "${runs[@]}"
QT_SCALE_FACTOR=2 "$build/bin/dachlast_screenshots" "$folder/200-percent" "${runs[@]}"
DACHLAST_LANG=de "$build/bin/dachlast_screenshots" "$folder/german" "${runs[@]}"
if command -v chromium >/dev/null; then  # the first screen of a report, as a browser shows it
  "$build/bin/dachlast" report "${runs[0]}" -o "$scratch/report.html" -q
  HOME=$scratch chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1100,900 \
    --screenshot="$folder/report.png" "file://$scratch/report.html" 2>/dev/null
else
  echo "No picture of a report: there is no chromium."
fi
echo "Pictures in $folder"
