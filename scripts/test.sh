#!/usr/bin/env bash
# Installs what is missing, builds the ci preset (warnings are errors, assertions on) and runs every test.
# The test log, CTest's summary last, is kept in build/ci/test.log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-dependencies.sh test
cmake --preset ci
cmake --build --preset ci
ctest --preset ci --output-log build/ci/test.log
