#!/bin/sh
# memory.sh - valgrind over the start, the work and the end of every program
#
# Memory errors and leaks, of parent, engine and resolver too; descriptors are
# counted over half an hour by tests/faults/f_k1. Needs root (a namespace, a tun) and a build with
# --disable-sandbox: valgrind's own calls are in no table. Builds that in
# ./memory.

set -u
top=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
here=$PWD/memory
if [ -z "${MEMORY_LAB-}" ]; then
	mkdir -p "$here" && cd "$here" || exit 1
	[ -f Makefile ] || "$top/configure" -q --disable-sandbox \
		CFLAGS='-g -O1' || exit 1
	make -s -j"$(nproc)" >build.log 2>&1 || {
		tail -n 30 build.log
		exit 1
	}
	MEMORY_LAB=$(mktemp -d) || exit 1
	chmod 755 "$MEMORY_LAB"
	export MEMORY_LAB
	cp miredo miredo-engine miredo-resolver miredo-checkconf miredoctl \
		"$MEMORY_LAB"
	unshare --net --mount --pid --fork --kill-child --mount-proc "$top/tests/lint/memory.sh"
	code=$?
	rm -rf "$MEMORY_LAB"
	exit $code
fi

cd "$MEMORY_LAB" || exit 1
mkdir -m 777 found
ip link set lo up
ip addr add 192.0.2.9/32 dev lo
n=0
status=0

# Reports lie in found/; 9: valgrind found something.
watched()
{
	valgrind -q --vgdb=no --trace-children=yes --leak-check=full \
		--errors-for-leak-kinds=definite --error-exitcode=9 \
		--log-file="$MEMORY_LAB/found/%p" "$@"
}

# clean TEXT: no report says anything
clean()
{
	n=$((n + 1))
	if cat found/* | grep -q .; then
		echo "not ok $n - $1"
		head -n 80 found/* | sed 's/^/# /'
		status=1
	else
		echo "ok $n - $1"
	fi
	rm -f found/*
}

printf '%s\n' 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress 192.0.2.9' >client.conf
printf '%s\n' 'RelayType rely' 'ServerAddress =' >bad.conf
watched ./miredo-checkconf client.conf >/dev/null
clean "miredo-checkconf, of a good file"
watched ./miredo-checkconf bad.conf >/dev/null 2>&1
clean "and of a bad one"
watched ./miredoctl --help >/dev/null
clean "miredoctl --help"

watched ./miredo -f -u nobody -c client.conf --run-dir run -p pid \
	>log 2>&1 &
pid=$!
tries=1500
until grep -q 'serves as client' log || [ $tries -eq 0 ]; do
	tries=$((tries - 1))
	sleep 0.02
done
watched ./miredoctl --run-dir run status >status.out 2>&1
kill -HUP "$(cat pid)"
tries=1500
until grep -q 'a new engine serves' log || [ $tries -eq 0 ]; do
	tries=$((tries - 1))
	sleep 0.02
done
kill -TERM "$(cat pid)"
wait $pid
code=$?
n=$((n + 1))
if [ $code -eq 0 ] && grep -q 'a new engine serves' log; then
	echo "ok $n - it serves, is reloaded and ends"
else
	echo "not ok $n - it serves, is reloaded and ends ($code)"
	sed 's/^/# /' log
	status=1
fi
clean "parent, engine and resolver from start to end, and miredoctl status"
echo "1..$n"
exit $status
