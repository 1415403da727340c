#!/bin/sh
# Relay and server under the parent; names; an engine that cannot start (P2,
# R7, R9).
# shellcheck disable=SC2317,SC2119 source-path=SCRIPTDIR source=priv.sh
. "$(dirname "$0")/priv.sh"

has_route() { ip -6 route show dev teredo | grep -q "$1"; }
carrier() { ip link show teredo | grep -q LOWER_UP; }
gone() { ! ip link show teredo 2>/dev/null; }

# ---- relay ----

conf relay.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 3544' \
	'InterfaceMTU 1400'
start -c "$dir/relay.conf"
within 5 has 'serves as relay' && within 1 carrier
report "a relay serves, with carrier"
has_route '^2001::/32 .*metric 1024' &&
	ip link show teredo | grep -q 'mtu 1400' &&
	[ "$(ip -6 addr show dev teredo | grep -c inet6)" -eq 1 ] &&
	ip -6 addr show dev teredo | grep -q fe80::ffff:ffff:ffff/64 &&
	! has_route default
report "it has its route and its link-local address, and no more"

ip -6 route del 2001::/32 dev teredo
within 1 has_route '^2001::/32 .*metric 1024'
report "the route comes back when it is taken away"

sed -i 's/1400/1500/' "$dir/relay.conf"
echo 'Prefix 2001:db8::' >>"$dir/relay.conf"
: >"$log"
kill -HUP "$pid"
within 3 has 'a new engine serves'
within 1 has_route '^2001:db8::/32 .*metric 1024' && ! has_route '^2001::/32' &&
	ip link show teredo | grep -q 'mtu 1500' && carrier
report "a reload changes prefix and MTU"

: >"$log"
ip monitor link >"$dir/links" &
monitor=$!
for i in 1 2 3 4; do
	old=$(engine)
	begin
	kill -KILL "$old"
	[ "$i" -eq 4 ] || within 3 sh -c "[ \$(grep -c 'a new engine' $log) -eq $i ]"
done
sleep 0.3
carrier || [ $(($(now_ms) - began)) -ge 500 ]	# that was a long sleep
report "carrier stays up for 300 ms without an engine"
fell() { grep -q 'teredo: .*NO-CARRIER' "$dir/links"; }
within 1 fell
report "and falls after 500 ms (R17)"
kill $monitor
within 3 carrier && has_route '^2001:db8::/32'
report "it is back with the next engine; the route never went"
stop
[ "$rc" -eq 0 ] && gone
report "the relay ends clean"

# SEC-DOS-01, R-GEN-01: whoever announces the prefix
way() { ip -6 route get 2001:0:c000:201:: | grep -q "dev $1 "; }
conf relay.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 3544' \
	'RelayScope host'
ip -6 route add 2001::/32 dev wire metric 20
start -c "$dir/relay.conf"
within 5 has 'serves as relay' && within 1 way teredo
report "the way through a host's own relay wins over one that was learned"
sed -i 's/Scope host/Scope router/' "$dir/relay.conf"
: >"$log"
kill -HUP "$pid"
within 3 has 'a new engine serves'
within 1 has_route '^2001::/32 .*metric 1024' &&
	! has_route '^2001::/32 .*metric 16 ' && way wire
report "and a router's does not"
ip -6 route del 2001::/32 dev wire metric 20
stop

# ---- server ----

start_server
far_log() { grep -q "$1" "$dir/far.log"; }
within 5 far_log 'serves as server'
report "a server serves"
grep -q '^CapPrm:.0000000000000000$' "/proc/$server/status" &&
	grep -q '^CapBnd:.0000000000000000$' "/proc/$server/status"
report "with no capability at all (P2)"
[ "$(ip netns exec far ss -Hlun | grep -c ':3544 ')" -eq 2 ]
report "on both its addresses"
stop_server

ip -n far addr del 192.0.2.2/24 dev wire
start_server
within 5 far_log 'serves as server' &&
	far_log 'found one IPv4 address (192.0.2.1). Running single-address'
report "with one address it runs too, and says what is lost"
stop_server

far_fails() { # STATUS TEXT LINE...
	want=$1 text=$2
	shift 2
	conf far.conf "$@"
	timeout 60 ip netns exec far "$bin/miredo-server" -f -u nobody \
		-c "$dir/far.conf" --run-dir "$dir/far" -p "$dir/far.pid" \
		>"$log" 2>&1
	[ $? -eq "$want" ] && has "$text"
}
far_fails 78 '2:20: ServerBindAddress2 192.0.2.2 is not on this host' \
	'ServerBindAddress 192.0.2.1' 'ServerBindAddress2 192.0.2.2'
report "a second address that was asked for has to be there"
ip -n far addr add 10.0.0.4/24 dev wire
far_fails 78 'set ServerPublicAddress' 'ServerBindAddress 10.0.0.4'
report "a private address needs its public one"
start_server 'ServerBindAddress 10.0.0.4' \
	'ServerPublicAddress 203.0.113.1' 'ServerBindAddress2 none'
within 5 far_log 'serves as server'
report "and runs with it behind 1:1 NAT"
stop_server
ip -n far addr add 192.0.2.2/24 dev wire
start_server
within 5 far_log 'serves as server'

# ---- names ----

hosts '192.0.2.1 teredo.example.net' '192.0.2.9 me.example.net'
conf names.conf 'RelayType client' 'InterfaceName teredo' \
	'BindAddress me.example.net' 'ServerAddress teredo.example.net'
start -c "$dir/names.conf"
within 5 has_address && ss -lun | grep -q '192.0.2.9:'
report "names of BindAddress and ServerAddress are looked up"
no_resolver() { ! pgrep -x miredo-resolver; }
within 2 no_resolver
report "and no resolver is left"
stop

cat >"$dir/dns.py" <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.1", 53))
while True:
    q, who = s.recvfrom(512)
    n = q[12:].index(0) + 13 + 4
    s.sendto(q[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + q[12:n] +
             b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", who)
END
hosts '# nobody'
echo 'nameserver 192.0.2.1' >"$dir/resolv.conf"
# -L: a link into /run, as systemd-resolved makes it, is what is followed
mount --bind "$dir/resolv.conf" "$(readlink -f /etc/resolv.conf)"
conf dns.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress dead.example.org'
start -c "$dir/dns.conf"
within 5 has 'serves as client'
report "without name servers it starts all the same"
within 8 has 'cannot resolve "dead.example.org"'
report "what cannot be resolved is said"
sleep 1
[ "$(grep -c 'cannot resolve' "$log")" -eq 1 ]
report "once"
begin
ip netns exec far python3 "$dir/dns.py" &
within 8 has_address
in_time 5000
report "with a name server again it is qualified (R9; $took ms)"

stop

# ---- names in a configuration that is read again ----

ip netns exec far python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.2", 53))
time.sleep(600)' &
within 5 sh -c 'ip netns exec far ss -Hlun | grep -q 192.0.2.2:53'
echo 'nameserver 192.0.2.2' >"$dir/resolv.conf"
hosts '192.0.2.9 me.example.net'
asks() { pgrep -P "$pid" -x miredo-resolver; }
asks_no_more() { ! asks; }
again() { # NAME: of BindAddress
	conf again.conf 'RelayType client' 'InterfaceName teredo' \
		"BindAddress $1" 'ServerAddress 192.0.2.1'
	: >"$log"
	kill -HUP "$pid"
}
conf again.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress 192.0.2.1'
start -c "$dir/again.conf"
within 5 has_address
again silent.example.org
within 5 asks
kill -KILL "$(engine)"
within 9 has 'a new engine serves' && asks && ! has 'the old configuration'
report "while a name is asked for, an engine that ends is followed by the next"
within 20 has 'reload: the old configuration stays' &&
	has 'silent.example.org' && within 2 asks_no_more && has_address
report "a name that nobody answers changes nothing"
again silent.example.org
within 5 asks
again me.example.net
within 9 has 'reloaded' && within 2 asks_no_more &&
	within 2 sh -c 'ss -lun | grep -q 192.0.2.9:'
report "who reads it again in the meantime gets what it says then"
again silent.example.org
within 5 asks
begin
stop
in_time 5000 && [ "$rc" -eq 0 ] && within 2 no_resolver
report "and the end is not waited for (R9)"

# ---- a key file that the sandbox does not know ----

mkdir "$dir/keys" "$dir/elsewhere"
key='alice hmac-sha256 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'
for d in keys elsewhere; do
	echo "$key" >"$dir/$d/key"
	chmod 400 "$dir/$d/key"
	chown nobody "$dir/$d/key"
done
mkdir "$dir/conf"
keyed() { # DIRECTORY
	conf conf/keyed.conf 'RelayType client' 'InterfaceName teredo' \
		'ServerAddress 192.0.2.1' "KeyFile $dir/$1/key"
}
keyed keys
start -c "$dir/conf/keyed.conf"
within 5 has 'serves as client'
keyed elsewhere
kill -HUP "$pid"
if "$bin/miredo" -V | grep -q 'landlock [1-9]'; then
	within 5 has 'the old configuration stays' &&
		has 'another directory than at the start can be read after a'
else
	within 5 has 'reloaded'
fi
report "a KeyFile in another directory: that it takes a restart is said"
stop

# ---- the service manager ----

cat >"$dir/notify.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(512).decode(), flush=True)
END
conf client.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress 192.0.2.1'
python3 "$dir/notify.py" "$dir/notify" >"$dir/notified" &
within 5 test -S "$dir/notify"
NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=1000000 start -c "$dir/client.conf"
answers() {
	asked "$dir/asked" "$bin/miredoctl" --run-dir "$run" status
	grep -q client "$dir/asked"
}
within 5 grep -qx READY=1 "$dir/notified" && answers
report "READY=1 is told when the control socket answers"
within 3 grep -qx WATCHDOG=1 "$dir/notified"
report "WATCHDOG=1 follows"
told() { grep -q -e "^STATUS=$1" "$dir/notified"; }
within 8 told "Qualified 2001:0:c000:201:"
report "STATUS= tells that it is qualified, and its address"
ip link set teredo down
within 5 told 'iface-admin-down: Somebody set the interface down; it is left so.$'
report "STATUS= tells what is wrong"
stop_server
kill -HUP "$pid"
within 15 told 'iface-admin-down: Somebody .* left so. +1 more$'
report "and that there is more"
ip link set teredo up
within 5 told 'server-unreachable: The server does not answer. It is off, '
report "and then that"
start_server
within 10 sh -c "grep '^STATUS=' '$dir/notified' | tail -n 1 | grep -q Qualif"
report "STATUS= tells that all is well again"
stop
within 2 grep -qx STOPPING=1 "$dir/notified"
report "STOPPING=1 at the end"

# ---- an engine that cannot start ----

begin
broken /bin/false miredo client.conf
status() { "$bin/miredoctl" --run-dir "$run" status; }
no_engine() { status | grep -q 'NO ENGINE$'; }
# Linux 6.16: before, the parent does not answer
if python3 -c 'import socket; socket.socket(socket.AF_UNIX).getsockopt(1, 83)' \
	2>/dev/null; then
	within 5 no_engine
	report "the status tells that there is no engine, before one was ready"
else
	echo "# this kernel cannot refuse descriptors: the parent is silent"
fi
wait "$pid"
rc=$?
took=$(($(now_ms) - began))
[ "$rc" -eq 70 ] && gone && [ "$(grep -c 'the engine ended' "$log")" -eq 7 ] &&
	[ $took -ge 7000 ]
report "an engine that dies again and again ends the service with 70 (R7)"
status 2>&1 | tr -s ' \n' ' ' | grep -q 'it gave up: the engine ended 6 times'
report "and the status tells so"

finish
