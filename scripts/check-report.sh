#!/usr/bin/env bash
# Opens reports as their readers do, with whatever of these is installed, and says what it could not check:
#   html5lib   HTML5 without one parse error
#   chromium   drawn with scripts on, as large and as small as a telephone; printed to PDF with scripts on and off: the same text,
#              pages counted (with pdfinfo and pdftotext)
#   weasyprint the program's own PDF, pages counted
#   scripts/check-report.sh BUILD_FOLDER [FOLDER]      pictures and reports go to FOLDER
# Opens no new report after REPORT_SECONDS (default 240) and says how many it left out.
# Install them with: scripts/install-dependencies.sh reports
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?usage: check-report.sh BUILD_FOLDER [FOLDER]}
program=$(realpath "$build/bin/dachlast")
folder=$(realpath -m "${2:-$build/reports-check}")
budget_s=${REPORT_SECONDS:-240}
mkdir -p "$folder"
golden=$PWD/tests/data/reports
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}
have() { command -v "$1" >/dev/null || { echo "not checked: $1 is not installed"; return 1; }; }
pages_of() { pdfinfo "$1" | awk '/^Pages:/{print $2}'; }
# Words of a PDF without regard to where lines break.
words_of() { pdftotext "$1" - | tr -s '[:space:]' '\n'; }

# A report is made from a report: the run travels in it.
report() { "$program" report "$@" --timestamp 2026-03-01T15:00:00Z -q; }
for lang in en de; do
  for level in summary full; do
    report "$golden/sample_run.html" --lang "$lang" --level "$level" -o "$folder/run-$lang-$level.html"
    report --model llama-3.1-8b --gpu h100-sxm --context 32k --batch 8 --lang "$lang" --level "$level" \
      -o "$folder/plan-$lang-$level.html"
  done
done
report "$golden/sample_run.html" --baseline "$golden/sample_run.html" -o "$folder/comparison-en-full.html"
report --model llama-3.1-70b --gpu h100-sxm --context 32k --batch 8 --lang de -o "$folder/nofit-de-full.html"

# Debian's own interpreter knows Debian's packages, whatever else is first on the PATH.
python=/usr/bin/python3
if [[ -x $python ]] && "$python" -c 'import html5lib' 2>/dev/null; then
  # The parser of the HTML standard, ended by its first parse error.
  "$python" - "$folder"/*.html <<'PYTHON' || fail "a report is not HTML5"
import sys, html5lib
for name in sys.argv[1:]:
    try:
        html5lib.HTMLParser(strict=True).parse(open(name, "rb"))
    except html5lib.html5parser.ParseError as error:
        sys.exit(f"{name}: {error}")
print(f"{len(sys.argv) - 1} reports are HTML5")
PYTHON
else
  echo "not checked: python3-html5lib is not installed"
fi

browse() {
  nice timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-pdf-header-footer \
    --user-data-dir="$folder/profile" "$@" >/dev/null 2>&1
}

open_report() {
  local file=$1 name pages
  name=$(basename "$file" .html)
  browse --window-size=1100,1600 --screenshot="$folder/$name.png" "file://$file" || fail "$name: no picture"
  browse --window-size=390,1600 --screenshot="$folder/$name-telephone.png" "file://$file" || fail "$name: no picture"
  browse --print-to-pdf="$folder/$name-scripts.pdf" "file://$file" || fail "$name: not printed with scripts"
  # As a viewer that refuses scripts: Chromium cannot print with scriptEnabled=false, but the policy can refuse them too.
  sed -E '1,30s/ ?script-src [^;"]*;?//' "$file" >"$folder/noscript.html"
  ! grep -q "script-src" "$folder/noscript.html" || fail "$name: its policy still allows scripts"
  browse --print-to-pdf="$folder/$name-browser.pdf" "file://$folder/noscript.html" ||
    fail "$name: not printed without scripts"
  cmp -s <(words_of "$folder/$name-scripts.pdf") <(words_of "$folder/$name-browser.pdf") ||
    fail "$name: the printed text depends on scripts"
  pages=$(pages_of "$folder/$name-browser.pdf")
  echo "$name: $pages pages"
  [[ $name != *-summary || $pages -le 2 ]] || fail "$name: a summary of $pages pages"
}

if have chromium && have pdfinfo && have pdftotext; then
  left_out=0
  # Both languages, both levels and every kind come early.
  for name in run-en-full plan-de-summary comparison-en-full nofit-de-full run-de-summary plan-en-full run-en-summary \
    run-de-full plan-en-summary plan-de-full; do
    if ((SECONDS >= budget_s)); then left_out=$((left_out + 1)); else open_report "$folder/$name.html"; fi
  done
  rm -rf "$folder/profile" "$folder/noscript.html"
  ((left_out == 0)) || echo "not opened within $budget_s s: $left_out reports"
fi

if have weasyprint && have pdfinfo; then
  for lang in en de; do
    report "$golden/sample_run.html" --lang "$lang" --level summary --format pdf -o "$folder/run-$lang-summary.pdf"
    pages=$(pages_of "$folder/run-$lang-summary.pdf")
    echo "run-$lang-summary.pdf: $pages pages"
    ((pages <= 2)) || fail "run-$lang-summary.pdf: a summary of $pages pages"
  done
fi
((failed == 0)) && echo "Reports in $folder"
exit "$failed"
