#!/bin/sh
# layering.sh - who may include whom (ARCHITECTURE.md, "Layers")
#
# Each row: a set of files, and the includes that they may not have. Reads
# the sources only, so that it holds for code that is not built here as well.
# The link border (the parent without protocol code, the engine without
# netlink) is checked on the built programs by symbols.sh.

cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 1

n=0
failed=0

# forbid NAME 'FILES' 'EXTENDED REGEX OF AN INCLUDE LINE'
forbid()
{
	n=$((n + 1))
	found=
	count=0
	for file in $2; do
		test -f "$file" || continue
		count=$((count + 1))
		found="$found$(grep -HnE "^#[[:space:]]*include[[:space:]]+$3" \
			"$file")"
	done
	if test "$count" -eq 0; then
		echo "not ok $n - $1 (no such file: $2)"
		failed=1
	elif test -n "$found"; then
		echo "not ok $n - $1"
		echo "$found" | sed 's/^/# /'
		failed=1
	else
		echo "ok $n - $1"
	fi
}

forbid "libteredo knows nothing outside itself" \
	"$(echo libteredo/*.[ch])" \
	'("\.\./|"(config|compat)\.h"|<(sys|linux|net|netinet|arpa)/|<(unistd|errno|stdio|time|fcntl|poll|signal)\.h>)'
forbid "libtun6 knows nothing of Teredo or the daemon" \
	"$(echo libtun6/*.[ch])" '"\.\./(libteredo|src)/'
forbid "only conf.c sees libconfuse" \
	"$(find src libtun6 -name '*.[ch]' ! -name conf.c)" '<confuse\.h>'
forbid "only netconf sees libnl" \
	"$(find src libtun6 -name '*.[ch]' ! -name 'netconf*')" '<netlink/'
forbid "only sandbox sees libseccomp and libcap" \
	"$(find src libtun6 -name '*.[ch]' ! -name 'sandbox*.c')" \
	'<(seccomp|sys/capability)\.h>'
forbid "only hmac.c sees nettle" \
	"$(find src libtun6 -name '*.[ch]' ! -name hmac.c)" '<nettle/'
forbid "only miredoctl sees jansson" \
	"$(find src libtun6 -name '*.[ch]' ! -name 'miredoctl*.c')" \
	'<jansson\.h>'
forbid "the parent, the configuration and the resolver have no protocol" \
	"$(echo src/main.c src/parent*.[ch] src/priv_*.c src/conf*.[ch] src/resolver.c src/checkconf.c)" \
	'"(\.\./libteredo/)?(client|relay|server|path|peers|wire|icmp6|role|pump)\.h"'
forbid "the engine has no netlink, configuration or resolver" \
	"$(echo src/engine*.c src/pump*.[ch] src/role*.[ch] src/ctl_server.[ch])" \
	'("(\.\./libtun6/)?netconf\.h"|"conf(_miredo)?\.h"|<netdb\.h>)'
forbid "roles are told apart in role*.c alone" \
	"$(echo src/pump*.[ch] src/ctl_server.[ch])" \
	'"(\.\./libteredo/)?(client|relay|server)\.h"'
forbid "the simulation stands on libteredo alone" \
	"$(echo tests/sim/*.[ch])" '"(\.\./)*(src|libtun6)/'

echo "1..$n"
exit $failed
