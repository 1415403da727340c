#!/bin/sh
# What /proc says of each process in each role, the combined and the dormant
# one too (P1, P2, P6 to P10).
# shellcheck disable=SC2317,SC2119 source-path=SCRIPTDIR source=priv.sh
. "$(dirname "$0")/priv.sh"

seccomp=2 own_filter=2 inherited=1 descriptors='32 *32' stdio=
"$bin/miredo" -V | grep -q '^sandbox: off' &&	# for sanitizers
	seccomp=0 own_filter=0 inherited=0 descriptors='.*' stdio="|pipe:.*|$log"

# is PID NAME VALUE: so it stands in /proc/PID/status
is() {
	grep -q "^$2:.$3\$" "/proc/$1/status" && return
	echo "$2 of $1 is not $3" >>"$log"
	grep "^$2:" "/proc/$1/status" >>"$log"
	return 1
}

# powerless PID: nobody's, no capability to be had again, filtered, alone
powerless() {
	is "$1" Uid '65534	65534	65534	65534' && is "$1" Groups ' ' &&
		is "$1" Gid '\([0-9]*\)	\1	\1	\1' &&
		! is "$1" Gid '0	.*' 2>/dev/null &&
		is "$1" CapInh 0000000000000000 &&
		is "$1" CapPrm 0000000000000000 &&
		is "$1" CapEff 0000000000000000 &&
		is "$1" CapBnd 0000000000000000 &&
		is "$1" CapAmb 0000000000000000 &&
		is "$1" NoNewPrivs 1 && is "$1" Seccomp "$seccomp" &&
		is "$1" Seccomp_filters "$own_filter" && is "$1" Threads 1 &&
		grep -q 'Max processes *0 ' "/proc/$1/limits" &&
		grep -q 'Max core file size *0 *0 ' "/proc/$1/limits"
}

# not dumpable: what it is in /proc belongs to root, and to no user of its own
undumpable() { [ "$(stat -c %U "/proc/$1/status")" = root ]; }
bare() { ! tr '\0' '\n' <"/proc/$1/environ" | grep -qv '^[AUL][A-Z]*SAN_OPTIONS='; }
no_code_is_written() {
	! grep -q '^[^ ]* .wx' "/proc/$1/maps" &&
		grep '\[stack\]' "/proc/$1/maps" | grep -q ' rw-p '
}

# P8: what may lie behind a descriptor of the engine's
few_descriptors() {
	ls -l "/proc/$1/fd" >"$log"
	grep -q "Max open files *$descriptors " "/proc/$1/limits" &&
		[ "$(find "/proc/$1/fd" -type l | wc -l)" -le 12 ] &&
		! find "/proc/$1/fd" -type l -printf '%l\n' | grep -qvE \
		'^(/dev/null|/dev/net/tun|socket:.*|anon_inode:\[(eventpoll|timerfd)\]'"$stdio"')$'
}

# facts ROLE PARENT'S-CAPABILITIES UDP-PORTS: of the pair that serves now
facts() {
	e=$(engine)
	powerless "$e"
	report "$1: the engine has no power, no thread, no child, no core (P1)"
	undumpable "$e" && undumpable "$pid"
	report "$1: nobody traces engine or parent, or dumps them"
	is "$pid" Uid '65534	65534	65534	65534' &&
		is "$pid" Groups ' ' && is "$pid" CapPrm "$2" &&
		is "$pid" CapEff "$2" && is "$pid" CapInh 0000000000000000 &&
		is "$pid" CapAmb 0000000000000000 &&
		is "$pid" CapBnd 0000000000000000 && is "$pid" NoNewPrivs 1 &&
		is "$pid" Seccomp $seccomp &&
		is "$pid" Seccomp_filters "$inherited" && is "$pid" Threads 1
	report "$1: the parent has what it needs alone (P2)"
	few_descriptors "$e"
	report "$1: the engine has twelve descriptors at most, of few kinds (P8)"
	bare "$e"
	report "$1: and no environment"
	no_code_is_written "$e" && no_code_is_written "$pid"
	report "$1: nothing is writable and executable (P10)"
	ss -Hltnp >"$log"
	ss -Hlunp >>"$log"
	[ "$(ss -Hltnp | grep -c miredo)" -eq 0 ] &&
		[ "$(ss -Hlunp | grep miredo | grep -vcF 224.0.0.253:3544)" -eq "$3" ]
	report "$1: $3 UDP ports, and nothing else is open (P9)"
}

net_admin=0000000000001000 none=0000000000000000

# ---- client, and a resolver while it waits ----

ip netns exec far python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.1", 53))
time.sleep(600)' &
within 5 sh -c 'ip netns exec far ss -Hlun | grep -q :53'
hosts '# nobody'
echo 'nameserver 192.0.2.1' >"$dir/resolv.conf"
mount --bind "$dir/resolv.conf" "$(readlink -f /etc/resolv.conf)"
conf client.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress nobody.example.org'
start -c "$dir/client.conf"
within 5 has 'serves as client'
facts client $net_admin 1
resolver() { r=$(pgrep -P "$pid" -x miredo-resolver); }
asks() { resolver && is "$r" Seccomp_filters "$own_filter"; }
# It asks for 10 s at most: another one is looked at when it ends meanwhile.
poor() {
	asks && powerless "$r" && undumpable "$r" && bare "$r" &&
		no_code_is_written "$r"
}
within 5 poor
report "the resolver, while it asks, has no more power than the engine"
own_descriptors() {
	asks && find "/proc/$r/fd" -type l -printf '%l\n' >"$dir/fds" &&
		grep -q . "$dir/fds" &&
		! grep -qvE '^(/dev/null|socket:.*'"$stdio"')$' "$dir/fds"
}
within 5 own_descriptors
report "and no descriptor of anybody else's"
[ "$(stat -c '%u %a' "$run")" = "0 755" ] &&
	[ "$(stat -c %u "$run/teredo.sock" "$dir/pid" | sort -u)" = 0 ]
report "what root opened lies in directories of root's (P6)"
stop

# ---- the others ----

conf relay.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 3544'
start -c "$dir/relay.conf"
within 5 has 'serves as relay'
facts relay $net_admin 1
stop

ip addr add 192.0.2.10/24 dev wire
conf both.conf 'RelayType server-relay' 'InterfaceName teredo' \
	'ServerBindAddress 192.0.2.9'
start -c "$dir/both.conf"
within 5 has 'serves as server and relay'
facts "server and relay" $net_admin 2
stop

conf dormant.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 3544' \
	'SunsetDate 2001-01-01'
start -c "$dir/dormant.conf"
within 5 has 'is dormant as relay'
facts dormant $net_admin 1
stop

conf server.conf 'ServerBindAddress 192.0.2.9'
: >"$log"
"$bin/miredo-server" -f -u nobody -c "$dir/server.conf" --run-dir "$run" \
	-p "$dir/pid" >>"$log" 2>&1 &
pid=$!
within 5 has 'serves as server'
facts server $none 2
stop

# ---- a user of nogroup's, as Debian's 1.2.6 made its own (P12) ----

ask() { # GROUP COMMAND: miredoctl's status, of somebody in that group
	asked "$dir/asked" setpriv --reuid 4711 --regid 4711 --groups "$1" \
		"$bin/miredoctl" -i teredo --run-dir "$run" "$2"
}
group() { grep -q "^Gid:.$2.$2.$2.$2\$" "/proc/$1/status"; }
refused() { ask "$@"; [ $? -eq 4 ] && grep -q 'only for root' "$dir/asked"; }

start -c "$dir/relay.conf"
within 5 has 'serves as relay'
ask 65534 status && refused 65534 peers && refused 65534 reload
report "nogroup gets no more than anybody, though it is the service user's"
stop
hosts '127.0.0.1 localhost'
echo 'miredo-old:x:64001:65534::/nonexistent:/bin/false' >>/etc/passwd
echo 'miredo-old:x:64002:' >>/etc/group
: >"$log"
"$bin/miredo" -f -u miredo-old --run-dir "$run" -p "$dir/pid" \
	-c "$dir/relay.conf" >>"$log" 2>&1 &
pid=$!
within 5 has 'serves as relay'
group "$pid" 64002 && group "$(engine)" 64002 &&
	ask 64002 peers && ask 64002 reload && refused 65534 peers
report "the group with the user's name is the service's instead"
stop

finish
