#!/usr/bin/env bash
# Brings the window's translations in step with the sources: new strings stand there unfinished, vanished ones go.
#   scripts/update-translations.sh [FOLDER]      default: the files of the repository; else copies in FOLDER
# German holds every string, English those with plural forms alone. Needs lupdate of qt6-l10n-tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-app/gui/languages}
lupdate=$(command -v lupdate6 || { [[ -x /usr/lib/qt6/bin/lupdate ]] && echo /usr/lib/qt6/bin/lupdate; } || true)
if [[ -z $lupdate ]]; then
  echo "update-translations.sh: lupdate is missing. Install qt6-l10n-tools." >&2
  exit 1
fi
# The include path gives strings the namespace of their class; without it no string is found again at run time.
common=(-silent -I . -locations none -no-obsolete -no-ui-lines -source-language en app/gui ui)
"$lupdate" "${common[@]}" -target-language de -ts "$folder/dachlast_de.ts"
"$lupdate" "${common[@]}" -target-language en -pluralonly -ts "$folder/dachlast_en.ts"
