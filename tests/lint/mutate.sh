#!/bin/sh
# mutate.sh [PATTERN...] - every rule that is broken on purpose is noticed by a
# test; see tests/lint/mutate.py. In a directory where all is built.

exec "${top_srcdir:-$(dirname "$0")/../..}/tests/lint/mutate.py" "$@"
