#!/bin/sh
# symbols.sh - the linker enforces the border between the processes
#
# The parent holds no protocol code, the engine neither netlink nor
# configuration nor resolver code, and nobody reads the wall clock.

cd "${top_builddir:-.}" || exit 1

n=0
failed=0

# without PROGRAM WHAT 'EXTENDED REGEX OF A SYMBOL'
without()
{
	n=$((n + 1))
	if ! test -f "$1"; then
		echo "not ok $n - $1 is not built"
		failed=1
		return
	fi
	found=$(nm "$1" | awk '{ print $NF }' | sed 's/@.*//' | grep -E "$3")
	if test -n "$found"; then
		echo "not ok $n - $1 has $2"
		echo "$found" | sed 's/^/# /'
		failed=1
	else
		echo "ok $n - $1 has no $2"
	fi
}

protocol='^(teredo_(client|relay|server)|path|peers|wire|icmp6)_'
names='^(getaddrinfo|gethostby|__nss_)'

without miredo "protocol code" "$protocol"
without miredo "resolver code" "$names"
without miredo "hashes" '^nettle_'
without miredo-engine "netlink code" '^(nl|rtnl)_'
without miredo-engine "configuration code" '^(cfg|conf)_'
without miredo-engine "resolver code" "$names"
without miredo-engine "program start" '^(exec|fork|posix_spawn|system)'
without miredo-engine "wall clock" '^(time|gettimeofday|localtime)$'
without miredo-engine "guessable randomness" \
	'^(s?random|s?rand|rand_r|[a-z]rand48)$'
without miredo-resolver "protocol code" "$protocol"
without miredo-resolver "netlink code" '^(nl|rtnl)_'
without miredo-checkconf "resolver code" "$names"

echo "1..$n"
exit $failed
