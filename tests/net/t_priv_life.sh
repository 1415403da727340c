#!/bin/sh
# What a running service survives: its engine's death and silence, a deleted
# interface, a reload, signals, a new IPv4 address (R1-R7, R10, R15, R16).
# shellcheck disable=SC2317,SC2119 source-path=SCRIPTDIR source=priv.sh
. "$(dirname "$0")/priv.sh"

conf client.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress 192.0.2.1'
c=$dir/client.conf

ifindex() { ip -o link show teredo | cut -d: -f1; }
port() { ss -Hlunp | awk '/miredo/ && !/224\.0\.0\.253/ { sub(".*:", "", $4); print $4; exit }'; }
facts() { echo "$(address) $(ifindex) $(port)"; }
same() { [ "$(facts)" = "$before" ]; }
another_engine() { new=$(engine) && [ "$new" != "$old" ]; }
serves_again() { another_engine && has 'a new engine serves'; }
has_route() { ip -6 route show dev teredo | grep -q "$1"; }
in_order() {
	has_address && has_route '^default.* metric 1029' &&
		has_route '^2001::/32' &&
		ip -6 addr show dev teredo | grep -q fe80::ffff:ffff:ffff/64
}

start_server
start -c "$c"
within 5 in_order
report "a client has its address, its link-local one and its default route"
[ "$(ip -6 addr show dev teredo | grep -c inet6)" -eq 2 ] &&
	ip link show teredo | grep -q 'mtu 1280'
report "and no other; the MTU is 1280"
before=$(facts)

# ---- the engine ----

ip -6 monitor address >"$dir/monitor" &
monitor=$!
old=$(engine)
: >"$log"
begin
kill -STOP "$old"
within 6 serves_again
in_time 3000 && same && has 'hangs'
report "an engine that hangs is replaced (R6; $took ms)"
for i in 1 2 3; do	# after the second death in a minute it waits 0.1 s, ...
	: >"$log"
	old=$(engine)
	begin
	kill -KILL "$old"
	within 3 serves_again
	in_time $((300 * i * i)) && same
	report "kill -9 of the engine ($i): same address, interface, port ($took ms)"
done
kill $monitor
cp "$dir/monitor" "$log"
! grep -q teredo "$dir/monitor"
report "the address was never touched meanwhile"

# ---- the interface ----

cpu() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
begin
old=$(engine)
ticks=$(($(cpu "$pid") + $(cpu "$old")))
: >"$log"
ip link del teredo
within 1 in_order && [ "$(address)" = "${before%% *}" ] && [ "$(engine)" = "$old" ]
report "a deleted interface is made again with its address (R15; $(($(now_ms) - began)) ms)"
sleep 1
[ $(($(cpu "$pid") + $(cpu "$old") - ticks)) -lt 10 ]
report "and nothing spins"
[ "$(cat /proc/sys/net/ipv6/conf/teredo/accept_ra)" = 0 ] &&
	[ "$(ip -6 addr show dev teredo | grep -c inet6)" -eq 2 ]
report "it is as quiet as the first"

ip -6 addr flush dev teredo
within 1 in_order
report "flushed addresses are back within 1 s (R16)"
ip -6 route flush dev teredo
within 1 in_order
report "flushed routes too"
ip link set teredo mtu 1400
within 1 sh -c 'ip link show teredo | grep -q "mtu 1280"'
report "the MTU too"
: >"$log"
ip link set teredo down
within 2 has 'was set down' && sleep 0.5 && ! ip link show teredo | grep -q '[<,]UP'
report "an interface set down stays down, and that is said"
ip link set teredo up
within 1 in_order
report "and is put in order when it is up again"

set_ipv6() { sysctl -qw "net.ipv6.conf.teredo.disable_ipv6=$1"; }
set_ipv6 1
within 5 has 'teredo: IPv6 is disabled on it: sysctl net.ipv6.conf.teredo.disa'
report "IPv6 switched off on it is said, with the remedy (E1)"
for mtu in 60000 61000 60000; do	# a notice each, of another interface
	ip link set lo mtu $mtu
	sleep 0.5
done
[ "$(grep -c 'IPv6 is disabled on it' "$log")" -eq 1 ]
report "and that is said once, whatever else changes on the host"
set_ipv6 0
within 5 has_address
report "with it on, all is there again"

ip link set teredo netns far
ip link add teredo type veth peer name other
within 10 has 'another interface has its name now: remove that (ip link del ter' &&
	sleep 1 && ip -o link show teredo | grep -q 'mtu 1500' && ! has_address &&
	! ip link show teredo | grep -q '[<,]UP'
report "another's interface that takes its name is left as it is, and named"
ip link del teredo
ip -n far link set teredo netns $$
within 10 has "teredo is back" && within 5 in_order
report "when that is gone, and ours is back, all is as before"

# ---- reload ----

before=$(facts)
old=$(engine)
: >"$log"
kill -HUP "$pid"
within 3 serves_again && same && in_order
report "a reload keeps address, interface and port (R1)"

old=$(engine)
: >"$log"
echo 'Nonsense 1' >>"$c"
kill -HUP "$pid"
within 3 has 'the old configuration stays'
has "$c:$(wc -l <"$c"):1: error:" && [ "$(engine)" = "$old" ] && same
report "a configuration with errors changes nothing and is explained (R1b)"

: >"$log"
conf client.conf 'RelayType client' 'InterfaceName other' \
	'ServerAddress 192.0.2.1'
kill -HUP "$pid"
within 3 has 'cannot change while running'
[ "$(engine)" = "$old" ] && same
report "another InterfaceName needs a restart"

: >"$log"
conf client.conf 'RelayType client' 'InterfaceName teredo' 'BindPort 4321' \
	'ServerAddress 192.0.2.1'
kill -HUP "$pid"
within 3 serves_again
within 3 sh -c 'ss -lun | grep -q :4321' && [ "$(port)" = 4321 ] &&
	[ "$(ifindex)" = "$(echo "$before" | cut -d' ' -f2)" ]
report "another BindPort is taken over"
within 5 has 'mapping changed to 192.0.2.9:4321' && within 5 in_order
report "and the client qualifies from there"

python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 4444))
time.sleep(600)' &
holder=$!
within 5 sh -c 'ss -lun | grep -q :4444'
before=$(facts)
old=$(engine)
: >"$log"
sed -i 's/4321/4444/' "$c"
kill -HUP "$pid"
within 3 serves_again && within 3 in_order
has '4:10: UDP port 4444' || has ':3:10: UDP port 4444' &&
	has 'old configuration stays' && same
report "a BindPort that is taken is said, the old one stays"
kill $holder

# ---- signals ----

old=$(engine)
kill -USR1 "$pid" && kill -USR2 "$pid" && kill -PIPE "$pid"
kill -STOP "$pid"
sleep 0.3
kill -CONT "$pid"
sleep 0.3
kill -0 "$pid" && [ "$(engine)" = "$old" ] && in_order
report "USR1, USR2, PIPE, STOP and CONT are harmless"

# ---- the host ----

begin
ip addr del 192.0.2.9/24 dev wire
ip addr add 192.0.2.77/24 dev wire
ip route add default via 192.0.2.1
: >"$log"
moved() { "$bin/miredoctl" --run-dir "$run" status | grep -q 'mapping.* 192.0.2.77:'; }
within 3 moved && within 3 in_order
report "a new IPv4 address: qualified with it (R10; $(($(now_ms) - began)) ms)"

# ---- the end ----

stop
[ "$rc" -eq 0 ] && ! ip link show teredo 2>/dev/null &&
	! ip -6 route show | grep -q teredo
report "at the end everything is removed"
for signal in INT QUIT; do
	start -c "$c"
	within 3 has 'serves as client'
	kill -$signal "$pid"
	wait "$pid" && ! ip link show teredo 2>/dev/null
	report "SIG$signal ends it with 0"
done

finish
