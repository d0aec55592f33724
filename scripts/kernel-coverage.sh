#!/usr/bin/env bash
# Prints which share of the lines of each CUDA kernel source the tests execute on the host; fails below 95 % of all.
#   scripts/kernel-coverage.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/kernel-coverage}
least_percent=95

cmake --preset ci -B "$build" -DDACHLAST_KERNEL_COVERAGE=ON -DDACHLAST_GUI=OFF -DDACHLAST_HEADER_CHECK=OFF >/dev/null
cmake --build "$build" --target dachlast_cuda_emulation_test >/dev/null
find "$build" -name '*.gcda' -delete
# Missing barriers, and traffic, are found by what coverage stands in the place of.
"$build/bin/dachlast_cuda_emulation_test" --gtest_brief=1 --gtest_filter=-CudaBarriers.*

notes=$(mktemp -d)
trap 'rm -rf "$notes"' EXIT
objects=$PWD/$build/tests/kernels/cuda/CMakeFiles/dachlast_kernels_cuda_emulated.dir
(cd "$notes" && find "$objects" -name '*.gcda' -print0 | xargs -0 gcov --preserve-paths --json-format >/dev/null)
python3 - "$notes" "$PWD" $least_percent <<'EOF'
import glob, gzip, json, sys

notes, root, least = sys.argv[1], sys.argv[2] + "/", float(sys.argv[3])
lines = {}  # (file, line) -> executed in any object that holds it
for name in glob.glob(notes + "/*.gcov.json.gz"):
    for file in json.load(gzip.open(name))["files"]:
        path = file["file"].removeprefix(root)
        if not path.startswith("kernels/cuda/"):
            continue
        for line in file["lines"]:
            key = (path, line["line_number"])
            lines[key] = lines.get(key, False) or line["count"] > 0
for path in sorted({path for path, _ in lines}):
    of_file = {number: executed for (p, number), executed in lines.items() if p == path}
    missed = [str(number) for number, executed in sorted(of_file.items()) if not executed]
    print(f"{100 * (1 - len(missed) / len(of_file)):6.1f} %  {len(of_file):4d} lines  {path}"
          + (f"  not {', '.join(missed)}" if missed else ""))
percent = 100 * sum(lines.values()) / len(lines)
print(f"{percent:6.1f} %  {len(lines):4d} lines  in all")
sys.exit(0 if percent >= least else 1)
EOF
