#!/usr/bin/env bash
# The translations hold what the sources hold: lupdate adds nothing to copies of them and finds nothing vanished.
#   translations.sh SOURCE_DIR
set -euo pipefail
source_dir=$1
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp "$source_dir"/app/gui/languages/*.ts "$copy"
"$source_dir/scripts/update-translations.sh" "$copy"
for file in "$copy"/*.ts; do
  diff "$source_dir/app/gui/languages/$(basename "$file")" "$file" >&2 ||
    { echo "$(basename "$file"): strings changed. Run scripts/update-translations.sh and translate what it adds." >&2; exit 1; }
done
