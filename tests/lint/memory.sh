#!/bin/sh
# memory.sh - valgrind over the start, the work and the end of every program
#
# Memory errors and leaks, of parent, engine and resolver too, in each role.
# Descriptors: a process ends with those open that it worked with, but three
# that were opened at one place are one for each reload. Those of half an hour
# are counted by tests/faults/f_k1. Needs root (a namespace, a tun) and a build with
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
ip addr add 192.0.2.10/32 dev lo
ln -s miredo miredo-server
n=0
status=0

# Reports lie in found/; 9: valgrind found something.
watched()
{
	valgrind -q --vgdb=no --trace-children=yes --track-fds=yes \
		--leak-check=full \
		--errors-for-leak-kinds=definite --error-exitcode=9 \
		--log-file="$MEMORY_LAB/found/%p" "$@"
}

# What the reports say but for the list of open descriptors, and of these those
# that leak. The parent sends an engine all of its own from one place.
findings()
{
	for report in found/*; do
		sed 's/^==[0-9]*== \{0,1\}//' "$report" | awk '
			/^FILE DESCRIPTORS:/ { next }
			/^Open / { opened = $0; stack = ""; next }
			opened != "" && /^   (at|by) |<inherited/ {
				stack = stack $0 "\n"
				next
			}
			opened != "" && stack !~ /inherited|receive_start/ &&
			++times[stack] == 3 {
				print "three times:\n" opened "\n" stack
			}
			{ opened = "" }
			NF > 0 { print }'
	done
}

# clean TEXT: no report says anything
clean()
{
	n=$((n + 1))
	if findings | grep -q .; then
		echo "not ok $n - $1"
		findings | head -n 80 | sed 's/^/# /'
		status=1
	else
		echo "ok $n - $1"
	fi
	rm -f found/*
}

# within TEXT TIMES: the log comes to say it so often
within()
{
	tries=1500
	until [ "$(grep -c "$1" log)" -ge "$2" ] || [ $tries -eq 0 ]; do
		tries=$((tries - 1))
		sleep 0.02
	done
}

# life ROLE INSTANCE PROGRAM: from start to end, with three reloads
life()
{
	watched ./"$3" -f -u nobody -c "$1.conf" --run-dir run -p pid \
		>log 2>&1 &
	pid=$!
	within "serves as $1" 1
	watched ./miredoctl --run-dir run -i "$2" status >status.out 2>&1
	for reload in 1 2 3; do
		kill -HUP "$(cat pid)"
		within 'a new engine serves' $reload
	done
	kill -TERM "$(cat pid)"
	wait $pid
	code=$?
	n=$((n + 1))
	if [ $code -eq 0 ] && [ "$(grep -c 'a new engine serves' log)" -eq 3 ]
	then
		echo "ok $n - a $1 serves, is reloaded three times and ends"
	else
		echo "not ok $n - a $1 serves, is reloaded three times and ends ($code)"
		sed 's/^/# /' log
		status=1
	fi
	clean "its parent, engines and resolver from start to end, and miredoctl status"
}

printf '%s\n' 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress 192.0.2.9' >client.conf
printf '%s\n' 'RelayType relay' 'InterfaceName teredo' >relay.conf
printf '%s\n' 'ServerBindAddress 192.0.2.9' \
	'ServerBindAddress2 192.0.2.10' >server.conf
printf '%s\n' 'RelayType rely' 'ServerAddress =' >bad.conf
watched ./miredo-checkconf client.conf >/dev/null
clean "miredo-checkconf, of a good file"
watched ./miredo-checkconf bad.conf >/dev/null 2>&1
clean "and of a bad one"
watched ./miredoctl --help >/dev/null
clean "miredoctl --help"

life client teredo miredo
life relay teredo miredo
life server server miredo-server
echo "1..$n"
exit $status
