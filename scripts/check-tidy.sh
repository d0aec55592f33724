#!/usr/bin/env bash
# Runs clang-tidy on the sources that a change touches, directly or through a header they include.
#   scripts/check-tidy.sh BUILD_FOLDER [BASE]
# BASE is a commit; default: where HEAD left origin/main, or every source where that is HEAD itself or unknown. In a unity
# build one look serves a whole batch: most of the time goes into headers. What changed last comes first; starts no new
# look after TIDY_SECONDS (default 200) and says how many sources it left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?usage: check-tidy.sh BUILD_FOLDER [BASE]}
base=${2:-$(git merge-base HEAD origin/main 2>/dev/null || true)}
budget_s=${TIDY_SECONDS:-200}

all_sources() { git ls-files 'app/*.cpp' 'core/*.cpp' 'kernels/*.cpp' 'reports/*.cpp' 'ui/*.cpp'; }

touched_sources() {
  local headers
  headers=$(git diff --name-only --diff-filter=d "$base" -- '*.h')
  git diff --name-only --diff-filter=d "$base" -- '*.cpp' | grep -v '^tests/' || true
  if [[ -n "$headers" ]]; then all_sources | xargs grep -lF "${headers}" || true; fi
}

# Those asked for, the last changed first.
by_age() {
  { git log --format= --name-only -- '*.cpp' && all_sources; } | awk 'NR == FNR { asked[$0]; next } $0 in asked && !seen[$0]++' <(printf '%s\n' "$@") -
}

# "unit<TAB>source" of every source that the build compiles: itself, or the batch that includes it.
units() {
  sed -n 's/^ *"file": "\(.*\)",*$/\1/p' "$build/compile_commands.json" | sort -u | while read -r unit; do
    case $unit in
      */Unity/unity_*) sed -n 's/^#include "\(.*\)"$/\1/p' "$unit" ;;
      *) echo "$unit" ;;
    esac | sed "s|^$PWD/||; s|^|$unit\t|"
  done
}

if [[ -n "$base" && "$base" != "$(git rev-parse HEAD)" ]]; then
  mapfile -t sources < <(touched_sources | sort -u)
  echo "clang-tidy: ${#sources[@]} sources touched since $(git rev-parse --short "$base")"
else
  mapfile -t sources < <(all_sources)
  echo "clang-tidy: all ${#sources[@]} sources"
fi
((${#sources[@]} > 0)) || exit 0

# A source compiled twice is looked at once.
mapfile -t looks < <(by_age "${sources[@]}" |
  awk -F'\t' 'NR == FNR { if (!($2 in unit)) unit[$2] = $1; next } $1 in unit && !seen[unit[$1]]++ { print unit[$1] }' <(units) -)

# Shared with the workers: where time is up, a unit is counted instead of checked.
left_out=$(mktemp)
trap 'rm -f "$left_out"' EXIT
export build left_out deadline=$(($(date +%s) + budget_s))
check_one() {
  if (($(date +%s) > deadline)); then
    echo "$1" >>"$left_out"
  else
    # The compiler here is g++; clang must not trip over flags and warnings of its own. A batch includes sources on purpose.
    clang-tidy-19 -p "$build" --quiet --header-filter='/(app|core|kernels|reports|ui)/.*\.(h|cpp)$' \
      --checks=-bugprone-suspicious-include --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-error "$1" 2>/dev/null
  fi
}
export -f check_one
status=0
printf '%s\0' "${looks[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'check_one "$0"' || status=1
skipped=$(units | awk -F'\t' 'NR == FNR { left[$0]; next } $1 in left && !seen[$2]++' "$left_out" - |
  cut -f 2 | grep -cxF "$(printf '%s\n' "${sources[@]}")" || true)
echo "clang-tidy: $((${#sources[@]} - skipped)) sources checked in ${#looks[@]} looks, $skipped left out for time"
exit $status
