#!/bin/sh
# mutations.sh - each mutation fits the sources, and each invariant of the
# simulation's referee has one; what they break is tried by `make check-mutants`

if out=$("${top_srcdir:-$(dirname "$0")/../..}/tests/lint/mutate.py" -l 2>&1)
then
	echo "ok 1 - mutations fit the sources and leave out no invariant"
	echo 1..1
	exit 0
fi
echo "not ok 1 - mutations fit the sources and leave out no invariant"
echo "$out" | sed 's/^/# /'
echo 1..1
exit 1
