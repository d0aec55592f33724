#!/usr/bin/env bash
# What the desktop reads of the program is valid, and its file types know a run by its content:
#   desktop_files.sh SOURCE_DIR PROGRAM
# Checks with whatever of desktop-file-utils, libxml2-utils, shared-mime-info and man-db is installed, and names what is not.
set -uo pipefail
desktop=$1/app/gui/desktop
program=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}
have() { command -v "$1" >/dev/null || { echo "not checked: $1 is not installed"; return 1; }; }

if have desktop-file-validate; then
  messages=$(desktop-file-validate "$desktop/dachlast.desktop") || fail "dachlast.desktop"
  [[ -z $messages ]] || fail "dachlast.desktop: $messages"
fi
if have xmllint; then
  for file in "$desktop"/*.svg "$desktop/dachlast.xml"; do xmllint --noout --nonet "$file" || fail "$file is no XML"; done
fi
if have man; then
  messages=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$desktop/dachlast-gui.1" 2>&1 >/dev/null)
  [[ -z $messages ]] || fail "dachlast-gui.1: $messages"
fi

# Every type the menu entry names is described, and every icon it names is there.
for type in $(sed -n 's/^MimeType=//p' "$desktop/dachlast.desktop" | tr ';' ' '); do
  grep -qF "type=\"$type\"" "$desktop/dachlast.xml" || fail "dachlast.xml lacks $type"
done
if have update-mime-database; then
  mkdir -p "$scratch/mime/packages" && cp "$desktop/dachlast.xml" "$scratch/mime/packages"
  messages=$(update-mime-database "$scratch/mime" 2>&1) || fail "update-mime-database: $messages"
  for glob in '*.dachlast' '*.dachlast-project'; do
    grep -qF ":$glob" "$scratch/mime/globs2" || fail "the database lacks $glob"
  done
  # A real run begins with SQLite's sign and carries at offset 68 the number that dachlast.xml looks for.
  (cd "$scratch" && HOME=$scratch XDG_DATA_HOME=$scratch/data "$program" run --model stories-260k --context 16 --repeat 1 \
    --threads 1 -q -o a.dachlast >/dev/null 2>err) || fail "no run was made: $(cat "$scratch/err")"
  id=0x$(od -An -tx1 -j68 -N4 "$scratch/a.dachlast" | tr -d ' ')
  grep -qF "value=\"$id\" offset=\"68\"" "$desktop/dachlast.xml" || fail "runs carry $id, which dachlast.xml does not know"
fi
exit $((failures > 0))
