#!/bin/sh
# hardening.sh - what the compiler and the linker were asked for is in the
# programs (faults.md P10): PIE, full RELRO, no executable stack, no segment
# that is writable and executable, stack protector, FORTIFY. Not for builds
# with sanitizers, for gcov, or without optimisation.

cd "${top_builddir:-.}" || exit 1
n=0
status=0

# ok PROGRAM TEXT: the command before it succeeded
ok()
{
	code=$?
	n=$((n + 1))
	if [ $code -eq 0 ]; then
		echo "ok $n - $1 $2"
	else
		echo "not ok $n - $1 $2"
		status=1
	fi
}

for program in miredo miredo-engine miredo-resolver miredo-checkconf \
	miredoctl; do
	elf=$(readelf -W -hldrs "$program" 2>&1)
	has() { echo "$elf" | grep -qE "$1"; }
	has 'Type: *DYN' && has ' INTERP '
	ok $program "is position-independent"
	has 'GNU_RELRO' && has '\(FLAGS_1\).*NOW' && ! has '\(RPATH|RUNPATH\)'
	ok $program "has full RELRO and no search path"
	has 'GNU_STACK .* RW ' && ! has '(LOAD|GNU_STACK) .* RWE '
	ok $program "has nothing that is writable and executable"
	has '__stack_chk_fail'
	ok $program "has stack canaries"
	has '__[a-z0-9_]+_chk(@|$)'
	ok $program "is fortified"
done
echo "1..$n"
exit $status
