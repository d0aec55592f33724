#!/usr/bin/env bash
# Installs the Debian packages that building, testing or checking Dachlast needs: only those that are missing.
#   scripts/install-dependencies.sh [build|test|check|reports]      each includes the ones before it; default: build
# Root or sudo is needed only where something is missing; a second call installs nothing and touches no network.
set -euo pipefail

build_packages=(
  g++                # C++20 compiler (12 or newer)
  cmake              # build system, presets version 6
  ninja-build        # runs the build
  libfmt-dev         # text formatting
  libcli11-dev       # command line of the program
  nlohmann-json3-dev # config.json, safetensors headers, JSON output
  libsqlite3-dev     # run files
  libsimdjson-dev    # traces of other profilers
  zlib1g-dev         # the same, gzipped
  libhwloc-dev       # topology: cores, caches, memory
  libdnnl-dev        # oneDNN: the library GEMM for CPUs
  libhwy-dev         # Highway: SIMD with run-time dispatch
  libyaml-cpp-dev    # device files of users
  libxxhash-dev      # hashes of KV blocks; its header alone
  qt6-base-dev       # the desktop program
  qt6-tools-dev      # its translation: CMake package of Linguist
  qt6-tools-dev-tools # the same
  qt6-l10n-tools     # lrelease, lupdate
  qt6-translations-l10n # German of Qt's own dialogs
  fonts-dejavu-core  # a font for it where there is no other
)
test_packages=(
  libgtest-dev       # GoogleTest
  libgmock-dev       # its matchers
  desktop-file-utils # the menu entry
  libxml2-utils      # icons and file types
  shared-mime-info   # the same
  man-db             # man pages
  ccache             # makes the second build short
)
check_packages=(
  git                # which files are ours, and what changed
  clang-format       # layout
  clang-19           # builds the fuzzers
  libclang-rt-19-dev # libFuzzer and the sanitizers for it
  clang-tidy-19      # static analysis; version 14 cannot read this compiler's headers
  libomp-19-dev      # omp.h for it: GCC's is not for clang
  dpkg-dev           # dpkg-shlibdeps: dependencies of the .deb
  file               # used by CPack when it strips programs
)

report_packages=(
  chromium           # opens and prints reports
  poppler-utils      # pages and words of PDF
  python3-html5lib   # the parser of the HTML standard
  weasyprint         # the program's own PDF
)

case "${1:-build}" in
  build) wanted=("${build_packages[@]}") ;;
  test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  check) wanted=("${build_packages[@]}" "${test_packages[@]}" "${check_packages[@]}") ;;
  reports) wanted=("${build_packages[@]}" "${test_packages[@]}" "${check_packages[@]}" "${report_packages[@]}") ;;
  *)
    echo "install-dependencies.sh: $1: unknown group. Use build, test, check or reports." >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "install-dependencies.sh: this system has no apt. Install the equivalents of: ${wanted[*]}" >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "Packages: all ${#wanted[@]} are installed."
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "install-dependencies.sh: packages are missing, and this is neither root nor has sudo. As root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Packages: installing ${#missing[@]} of ${#wanted[@]} with apt-get${as_root:+ through sudo}: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
