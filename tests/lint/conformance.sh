#!/bin/sh
# conformance.sh - every MUST and SHOULD has a test, or a reason why not; see
# tests/lint/conformance.py, which prints TAP

exec "${top_srcdir:-$(dirname "$0")/../..}/tests/lint/conformance.py" --check
