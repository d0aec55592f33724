#!/usr/bin/env bash
# Runs every command that a document shows ("$ …" in a fenced block) and compares what it prints with the lines below it.
#   documents.sh PROGRAM DOCUMENT...
set -uo pipefail
program=$(realpath "$1")
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ln -s "$program" "$scratch/dachlast"
export PATH=$scratch:$PATH HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_CONFIG_HOME=$scratch/config COLUMNS=120
export DACHLAST_DATA_DIR=${DACHLAST_DATA_DIR:-$(dirname "$program")/../share/dachlast}
failures=0
commands=0

check() {
  [[ -n $command ]] || return
  commands=$((commands + 1))
  local printed
  printed=$(bash -c "$command" 2>"$scratch/err" | tr -d "\r")  # lines of CSV end in CR LF
  [[ $printed == "${expected%$'\n'}" ]] && return
  printf 'FAILED: %s: %s\n--- printed\n%s\n%s\n--- expected\n%s' "$document" "$command" "$printed" \
    "$(cat "$scratch/err")" "$expected" >&2
  failures=$((failures + 1))
}

for document in "$@"; do
  fenced=no command='' expected=''
  while IFS= read -r line; do
    case $line in
      '```'*)
        check
        command='' expected=''
        [[ $fenced == no ]] && fenced=yes || fenced=no
        ;;
      '$ '*)
        [[ $fenced == yes ]] || continue
        check
        command=${line#'$ '} expected=''
        ;;
      *) [[ $fenced == yes && -n $command ]] && expected+=$line$'\n' ;;
    esac
  done <"$document"
done

((commands > 0)) || { echo "no commands found" >&2; exit 1; }
echo "$commands commands, $failures failed"
exit $((failures > 0))
