#!/usr/bin/env bash
# Runs clang-tidy on the sources that a change touches, directly or through a header they include.
#   scripts/check-tidy.sh BUILD_FOLDER [BASE]
# BASE is a commit; default: where HEAD left origin/main, or every source where that is HEAD itself or unknown. Starts no
# new file after TIDY_SECONDS (default 200) and says how many it left out.
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

if [[ -n "$base" && "$base" != "$(git rev-parse HEAD)" ]]; then
  mapfile -t sources < <(touched_sources | sort -u)
  echo "clang-tidy: ${#sources[@]} sources touched since $(git rev-parse --short "$base")"
else
  mapfile -t sources < <(all_sources)
  echo "clang-tidy: all ${#sources[@]} sources"
fi
((${#sources[@]} > 0)) || exit 0

# Shared with the workers: where time is up, a file is counted instead of checked.
left_out=$(mktemp)
trap 'rm -f "$left_out"' EXIT
export build left_out deadline=$(($(date +%s) + budget_s))
check_one() {
  if (($(date +%s) > deadline)); then
    echo "$1" >>"$left_out"
  else
    # The compiler here is g++; clang must not trip over flags and warnings of its own.
    clang-tidy-19 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-error "$1" 2>/dev/null
  fi
}
export -f check_one
status=0
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'check_one "$0"' || status=1
echo "clang-tidy: $((${#sources[@]} - $(wc -l <"$left_out"))) checked, $(wc -l <"$left_out") left out for time"
exit $status
