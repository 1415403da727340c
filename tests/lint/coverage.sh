#!/bin/sh
# coverage.sh TEST... - how much of libteredo/ the unit and simulation tests see
#
# Builds the tests named (as in the Makefile, tests/unit/test_wire) with gcov in
# ./coverage, runs them, and fails when they reach less than 95 % of the lines
# or 85 % of the branches of libteredo/. Per file it prints both, and with -v
# what was missed.
#
# A branch is an outcome of a condition, each part of `a && b` for itself. Those
# inside an assert() are not counted: the other outcome is a bug of ours, which
# no test can or should provoke. Their lines are counted; no code is left out.

set -u
lines_wanted=95
branches_wanted=85
verbose=0
if test "${1-}" = -v; then
	verbose=1
	shift
fi
top=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
here=$PWD/coverage

fail()
{
	echo "not ok 1 - $1"
	echo 1..1
	exit 1
}

build()
{
	if ! test -f Makefile; then
		"$top/configure" -q --enable-coverage CFLAGS='-g -O0' ||
			return 1
	fi
	make -s -j"$(nproc)" "$@"
}

mkdir -p "$here" || fail "a folder for the build"
cd "$here" || fail "a folder for the build"
if ! build "$@" >build.log 2>&1; then
	tail -n 30 build.log
	fail "a build with gcov"
fi
find . -name '*.gcda' -exec rm -f {} +
for test; do
	if ! CMOCKA_MESSAGE_OUTPUT=TAP ./"$test" >test.log 2>&1; then
		grep -a '^not ok' test.log
		fail "$test passes"
	fi
done

# What an object's gcno and gcda say, as source lines with their counts, and
# below each its branches.
for notes in libteredo/*.gcno; do
	gcov --branch-probabilities --branch-counts --stdout "$notes"
done 2>gcov.log | awk -v verbose=$verbose -v lines_wanted=$lines_wanted \
	-v branches_wanted=$branches_wanted '
function percent(part, whole)
{
	return whole == 0 ? 100 : 100 * part / whole
}
function row(name, l, ls, b, bs)
{
	return sprintf("# %-28s %5.1f %% of %4d lines  %5.1f %% of %4d" \
		" branches", name, percent(l, ls), ls, percent(b, bs), bs)
}
function missed(what)
{
	if (verbose)
		printf "# %s:%d: %s: %s\n", file, number, what, source
}
# Follows the parentheses of an assert(), over several lines if need be.
function follow_assert(text,    t)
{
	if (depth == 0 && !match(text, /(^|[^_a-z])assert\(/))
		return 0
	t = depth > 0 ? text : substr(text, RSTART)
	depth += gsub(/\(/, "", t) - gsub(/\)/, "", t)
	return 1
}
/^ *-: *0:Source:/ {
	file = $0
	sub(/.*Source:/, "", file)
	sub(/.*\/libteredo\//, "libteredo/", file)
	ours = file ~ /^libteredo\//
	depth = 0
	next
}
!ours { next }
/^branch/ {
	if (asserted)
		next
	branches[file]++
	if ($0 ~ /taken [1-9]/)
		taken[file]++
	else
		missed("branch")
	next
}
/^ *[^ ]+: *[0-9]+:/ {
	split($0, part, ":")
	number = part[2] + 0
	source = substr($0, length(part[1]) + length(part[2]) + 3)
	asserted = follow_assert(source)
	if (number == 0 || part[1] ~ /-$/)
		next
	lines[file]++
	if (part[1] ~ /[0-9]/)
		reached[file]++
	else
		missed("line")
}
END {
	for (f in lines) {
		text = row(f, reached[f], lines[f], taken[f],
			branches[f])
		print text | "sort"
		l += reached[f]
		ls += lines[f]
		b += taken[f]
		bs += branches[f]
	}
	close("sort")
	print row("libteredo", l, ls, b, bs)
	good = ls > 0 && percent(l, ls) >= lines_wanted &&
		percent(b, bs) >= branches_wanted
	printf "%s 1 - tests reach %d %% of the lines of libteredo and %d %%" \
		" of the branches\n1..1\n", good ? "ok" : "not ok",
		lines_wanted, branches_wanted
	exit !good
}'
