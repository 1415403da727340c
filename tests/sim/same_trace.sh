#!/bin/sh
# The same seed gives the same simulation trace, in another process as well;
# another seed gives another one.
set -u
sim=${top_builddir:-.}/tests/sim/sim

echo 1..2
one=$("$sim" -x -s 7)
again=$("$sim" -x -s 7)
if [ -n "$one" ] && [ "$one" = "$again" ]; then
	echo "ok 1 - the same seed gives the same trace of every scenario"
else
	echo "not ok 1 - the same seed gives the same trace of every scenario"
fi

name=hours_of_bad_luck_leave_no_trace
if [ "$("$sim" -x -s 7 $name)" != "$("$sim" -x -s 8 $name)" ]; then
	echo "ok 2 - another seed gives another trace"
else
	echo "not ok 2 - another seed gives another trace"
fi
