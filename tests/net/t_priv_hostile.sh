#!/bin/sh
# An engine that was taken over, in each role: a million messages to the
# parent, and what has become of the host then (P4; the end of section 10).
# shellcheck disable=SC2317,SC2119 source-path=SCRIPTDIR source=priv.sh
. "$(dirname "$0")/priv.sh"

gone() { ! ip link show teredo 2>/dev/null; }

# What is the host's own, and what no engine may change.
host() {
	ip -4 rule
	ip -6 rule
	ip -4 route show table all
	ip -6 route show table all | grep -vE 'dev teredo|^local fe80:|ff00::'
	ip -o link | grep -v ': teredo:' | sed 's/<[^>]*>//'
	ip -o addr show dev wire scope global
	cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
	grep -H . /etc/resolv.conf /etc/hosts
	# not in the directories of other tests that run at the same time
	find "$run" /etc /tmp /dev/shm -xdev \
		-regex '/tmp/tmp\.[A-Za-z0-9]*' -prune -o \
		-user nobody -print 2>/dev/null
}

# Names of the processes in this namespace that are neither the test's nor the
# service's.
strangers() {
	cat /proc/[0-9]*/comm 2>/dev/null |
		grep -vxE 'sh|t_priv_hostile.*|cat|grep|ip|miredo(-.*)?|sleep'
}

# The parent goes on writing to its log: what is found lies elsewhere.
found=$dir/found
tell() {
	code=$?
	[ $code -eq 0 ] || cp "$found" "$log"
	return $code
}

# The kernel tells of an address again when the carrier comes back.
count_global() {
	grep -o 'inet6 [^ ]* scope global' "$dir/addresses" | sort -u | wc -l
}
# What a service manager is told, a line each; in the background.
manager() {
	rm -f "$dir/notify"
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "wb", 0) as said:
    while True:
        said.write(s.recv(4096) + b"\n")' "$dir/notify" "$dir/said" &
	monitors="$monitors $!"
	within 10 [ -S "$dir/notify" ]
	export NOTIFY_SOCKET="$dir/notify"
}
# Words of ours; what nobody can be told in is a code and its text (health.c).
words='(Qualified [0-9a-f:]*|Not qualified|(Not )?[Aa]nnouncing on teredo|Serving'
words="^STATUS=$words|[a-z0-9-]+: [ -~]+)\$"
minutes() { echo $((($(now_ms) - begin) / 60000 + 1)); }

# hostile ROLE PROGRAM CONF ADDRESSES-A-MINUTE SOCKETS
# (a client may have second ports until its 32 descriptors are used up)
hostile() {
	mkdir -p "$run"
	host >"$dir/before"
	ip -6 monitor address >"$dir/addresses" &
	monitors=$!
	ip monitor link >"$dir/links" &
	monitors="$monitors $!"
	manager
	begin=$(now_ms)
	broken "${top_builddir:-.}/tests/net/hostile_engine" "$2" "$3"
	# the administrator in whose name it may ask, if only once
	within 20 has ' serves'
	timeout 20 "$bin/miredoctl" --run-dir "$run" reload >"$dir/asked" 2>&1
	within 60 has 'breaks the rules of the border'
	report "$1: an engine that was taken over is killed for its first wrong message ($((($(now_ms) - begin) / 1000)) s)"
	kill -0 "$pid"
	report "$1: the parent is alive after a million of its messages (P4)"
	[ "$(grep -c 'asks for somebody who may not: killed' "$log")" -eq 3 ] &&
		[ "$(grep -c ' reloaded ' "$log")" -eq 1 ]
	report "$1: it asks for who has connected, and is killed for passing its own sockets off as one (P13)"
	# shellcheck disable=SC2086
	kill $monitors
	# shellcheck disable=SC2086
	wait $monitors 2>/dev/null
	cp "$dir/addresses" "$found"
	! grep 'inet6.*scope global' "$dir/addresses" | grep -qv ' 2001:0\{0,1\}:c000:201:' &&
		[ "$(count_global)" -le $(($4 * $(minutes))) ] &&
		[ $(($4 == 0 || $(count_global) > 0)) -eq 1 ]
	tell
	report "$1: $4 addresses a minute, in the prefix and of the resolved server"
	grep ^STATUS= "$dir/said" >"$found"
	[ "$(sort -u "$found" | wc -l)" -gt 3 ] &&
		[ "$(wc -l <"$found")" -le $((120 * $(minutes))) ] &&
		! grep -Evq "$words" "$found"
	tell
	report "$1: the service manager is told 120 codes of ours a minute at most"
	cp "$dir/links" "$found"
	! grep ' teredo[:@]' "$dir/links" | grep -o 'mtu [0-9]*' |
		awk '$2 < 1280 || $2 > 65507' | grep -q .
	tell
	report "$1: the MTU stayed in range"
	ip -6 route show table all dev teredo >"$found" 2>/dev/null
	! grep -Evq '^(default|2001::/32|fe80::|ff00::/8|multicast ff00::/8|local|anycast)' "$found"
	tell
	report "$1: no route but the tunnel's"
	host >"$dir/after"
	diff "$dir/before" "$dir/after" >"$found"
	tell
	report "$1: no interface, address, rule, route, file of others was touched"
	strangers >"$found"
	[ ! -s "$found" ] && [ "$(pgrep -P "$pid" -x miredo-engine | wc -l)" -le 1 ]
	tell
	report "$1: no process was started"
	ss -Hlunp >"$found"
	[ "$(ss -Hltnp | grep -c miredo)" -eq 0 ] &&
		[ "$(grep -c miredo "$found")" -le "$5" ]
	tell
	report "$1: at most $5 UDP sockets, no other"
	awk '/^VmRSS/ { print }' "/proc/$pid/status" >"$found"
	[ "$(awk '{ print $2 }' "$found")" -lt 20000 ] &&
		[ "$(find "/proc/$pid/fd" -type l | wc -l)" -le 20 ]
	tell
	report "$1: the parent did not grow"
	kill -TERM "$pid"
	wait "$pid"
	gone
	report "$1: and it ends clean"
}

hosts '192.0.2.1 teredo.example.net'
ip addr add 192.0.2.10/24 dev wire
conf client.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress teredo.example.net' 'RefreshInterval auto'
conf relay.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 3544'
conf both.conf 'RelayType server-relay' 'InterfaceName teredo' \
	'ServerBindAddress 192.0.2.9'
conf server.conf 'ServerBindAddress 192.0.2.9'
hostile client miredo client.conf 10 28
hostile relay miredo relay.conf 0 1
hostile 'server and relay' miredo both.conf 0 2
hostile server miredo-server server.conf 0 2

finish
