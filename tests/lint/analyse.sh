#!/bin/sh
# analyse.sh - clang-tidy and cppcheck over what is shipped
#
# Needs config.h, so runs from a build directory (`make check-analysis`). What
# clang-tidy does not look for stands in .clang-tidy with its reason; for
# cppcheck it stands here:
#
# variableScope		declarations stand at the head of a function or where
#			their block begins; a buffer's place is no error
# unusedStructMember	"why" in the tables is for the reader; unions for space
# knownConditionTrueFalse, duplicateExpressionTernary  followed by value through
#			enums, _Static_assert and paths that are one by default
# redundantInitialization, badBitmaskCheck  a value for one branch; a zero that
#			stands for "the first argument"
# ctuuninitvar		does not see that snprintf() and a struct's fields fill

top=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
here=${top_builddir:-$PWD}
cd "$top" || exit 1
n=0
status=0

# report TEXT: the command before it printed nothing into $found
report()
{
	n=$((n + 1))
	if [ -s "$found" ]; then
		echo "not ok $n - $1"
		head -n 100 "$found" | sed 's/^/# /'
		status=1
	else
		echo "ok $n - $1"
	fi
}

found=$(mktemp) || exit 1
trap 'rm -f "$found"' EXIT
for tool in clang-tidy cppcheck; do
	command -v $tool >/dev/null && continue
	echo "Bail out! $tool is not installed: tools/deps test installs it"
	exit 1
done

set -- '-DLIBEXECDIR="/l"' '-DSYSCONFDIR="/e"' '-DRUNSTATEDIR="/r"' \
	'-DRUNDIR="/r"' '-DSTATEDIR="/s"' "-I$here"
# One file at a time: clang-tidy 14 mistakes va_start() in a second one.
# shellcheck disable=SC2046 # words are meant
printf '%s\n' libteredo/*.c libtun6/*.c src/*.c |
	xargs -P "$(nproc)" -I@ clang-tidy --quiet @ -- -std=gnu11 \
	$(pkg-config --cflags libnl-route-3.0) "$@" 2>/dev/null |
	grep -E '(error|warning):' >"$found"
report "clang-tidy has no finding"

cppcheck --quiet -j "$(nproc)" --std=c11 --inline-suppr \
	--enable=warning,style,performance,portability \
	"$@" --suppress=missingIncludeSystem \
	--suppress=variableScope --suppress=unusedStructMember \
	--suppress=knownConditionTrueFalse \
	--suppress=duplicateExpressionTernary \
	--suppress=redundantInitialization --suppress=badBitmaskCheck \
	--suppress=ctuuninitvar \
	libteredo libtun6 src >"$found" 2>&1
report "cppcheck has no finding"
echo "1..$n"
exit $status
