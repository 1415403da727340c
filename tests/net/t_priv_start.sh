#!/bin/sh
# What the parent refuses to start with, and how it says so: exit status by
# sysexits(3), a message with the remedy, nothing left behind (E1, E6, E7).
# shellcheck source-path=SCRIPTDIR source=priv.sh
. "$(dirname "$0")/priv.sh"

nothing_left() { ! ip link show teredo 2>/dev/null && ! engine; }

conf client.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress 192.0.2.1'
c=$dir/client.conf

# ---- the command line is Miredo's ----

miredo --help
[ "$rc" -eq 0 ] && has '--config'
report "--help helps"
miredo -V
[ "$rc" -eq 0 ] && has '^sandbox: '
report "-V tells the version and the sandbox"
miredo -f -c "$c" --conf "$c"
[ "$rc" -eq 2 ] && has 'Duplicate parameter'
report "an option given twice is a usage error"
miredo --nonsense
[ "$rc" -eq 2 ]
report "an unknown option is a usage error"
miredo -f one two
[ "$rc" -eq 2 ]
report "a second argument is a usage error"
miredo -f -c "$c" -u root
[ "$rc" -eq 2 ] && has 'root'
report "it does not run as root"
miredo -f -c "$c" -u no-such-user
[ "$rc" -eq 78 ] && has 'no user "no-such-user"'
report "an unknown user is named"
JOURNAL_STREAM=$(stat -c %d:%i "$log")
export JOURNAL_STREAM
miredo -f -c "$c" -u no-such-user
has '^<3>miredo: there is no user'
report "the journal is told the level of a line"
JOURNAL_STREAM=$(stat -c %d:%i /dev/null)
miredo -f -c "$c" -u no-such-user
unset JOURNAL_STREAM
has '^miredo: there is no user'
report "and nobody else is"

# ---- the configuration ----

conf big.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 4443' \
	'MaxPeers 16777216'
prlimit --as=1000000000 timeout -k 1 60 "$bin/miredo" -f -u nobody \
	--run-dir "$run" -p "$dir/pid" -c "$dir/big.conf" >"$log" 2>&1
[ $? -eq 69 ] && has 'no memory for 16777216 peers: set MaxPeers' &&
	nothing_left
report "memory that is not there is said, once"

miredo -f -c "$dir/none.conf" -u nobody
[ "$rc" -eq 78 ] && has 'none.conf'
report "a configuration that is not there is named"
conf bad.conf 'RelayType client' 'BindPort 70000' 'ServerAddress 192.0.2.1'
miredo -f -c "$dir/bad.conf" -u nobody
[ "$rc" -eq 78 ] && has "$dir/bad.conf:2:10: error:"
report "an error in it has its place"
conf none.conf 'RelayType client'
miredo -f -c "$dir/none.conf" -u nobody
[ "$rc" -eq 78 ] && has 'ServerAddress'
report "without a server it says what to do, and asks nobody"
miredo -c "$dir/bad.conf" -u nobody -p "$dir/pid"
[ "$rc" -eq 78 ] && has "$dir/bad.conf:2:10: error:"
report "a daemon that cannot start says so to who started it"

# ---- what the system lacks ----

unprivileged() {
	timeout 60 setpriv --reuid nobody --regid nogroup --clear-groups \
		"$bin/miredo" -f -c "$c" --run-dir "$dir/user" \
		-p "$dir/user.pid" >"$log" 2>&1
	rc=$?
}
unprivileged
[ "$rc" -eq 77 ] && has 'start as root, or with CAP_NET_ADMIN'
report "without the right to, it names the capability"

no_tun() {
	unshare -m sh -c 'mount -t tmpfs none /dev/net && exec "$@"' - \
		timeout 60 "$bin/miredo" -f -c "$c" -u nobody --run-dir "$run" \
		-p "$dir/pid" >"$log" 2>&1
	rc=$?
}
no_tun
[ "$rc" -eq 69 ] && has 'modprobe tun'
report "without /dev/net/tun it tells how to get it"

conf bind.conf 'RelayType relay' 'InterfaceName teredo' \
	'BindAddress 198.51.100.77'
miredo -f -c "$dir/bind.conf" -u nobody --run-dir "$run" -p "$dir/pid"
[ "$rc" -eq 78 ] && nothing_left &&
	has 'bind.conf:3:13: BindAddress 198.51.100.77 is not on this host' &&
	has '192.0.2.9 wire'
report "a foreign BindAddress: its place, and what there is instead"

conf port.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 4444'
python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 4444))
time.sleep(600)' &
holder=$!
within 5 sh -c 'ss -lun | grep -q :4444'
miredo -f -c "$dir/port.conf" -u nobody --run-dir "$run" -p "$dir/pid"
[ "$rc" -eq 75 ] && has 'port.conf:3:10: UDP port 4444' && nothing_left &&
	[ ! -s "$dir/pid" ]
report "a taken port is named, and the pid file is empty"
kill $holder

ip link add teredo type veth peer name other
miredo -f -c "$c" -u nobody --run-dir "$run" -p "$dir/pid"
[ "$rc" -eq 75 ] && has 'cannot create interface "teredo": it exists'
report "an interface of that name that is no tunnel is left alone"
ip link del teredo

# ---- one instance ----

start -c "$c"
first=$pid
within 5 has 'serves as client'
report "it starts"

begin
miredo -f -c "$c" -u nobody --run-dir "$run" -p "$dir/pid"
in_time 200 && [ "$rc" -eq 75 ] && has "already running: PID $first "
report "a second one is refused and names the first (E6; $took ms)"
miredo -f -c "$c" -u nobody --run-dir "$run" -p "$dir/pid2"
[ "$rc" -eq 75 ] && has "already running: PID $first "
report "also with another pid file"
miredo -f -c "$c" -u nobody --run-dir "$dir/run2" -p "$dir/pid2"
[ "$rc" -eq 75 ] && has "exists and belongs to PID $first ($bin/miredo -f"
report "also with another run directory"

kill -KILL "$first"
within 2 nothing_left
report "kill -9 of the parent leaves neither interface nor engine (R3)"
[ -S "$run/teredo.sock" ] && [ -s "$dir/pid" ]
report "what it does leave: a socket and a pid file"
begin
start -c "$c"
within 1 has 'serves as client'
report "the next one starts all the same ($(($(now_ms) - began)) ms)"
ls -ld "$run" "$run/teredo.sock" >"$log"
[ "$(stat -c '%u %a' "$run")" = "0 755" ] &&
	[ "$(stat -c '%a' "$run/teredo.sock")" = 666 ]
report "run directory and socket belong to root (P6)"
[ "$(cat "$dir/pid")" = "$pid" ]
report "the pid file has the pid"
stop
[ "$rc" -eq 0 ] && nothing_left && [ ! -s "$dir/pid" ]
report "SIGTERM ends it with 0, nothing is left, the pid file is empty"

ln -s "$dir/elsewhere" "$dir/link"
start -c "$c" -p "$dir/none"
kill -KILL "$pid"
wait "$pid" 2>/dev/null
within 2 nothing_left
"$bin/miredo" -f -u nobody --run-dir "$run" -p "$dir/link" -c "$c" \
	>"$log" 2>&1 &
pid=$!
within 5 has 'serves as client' && has 'no pid file' && [ ! -e "$dir/elsewhere" ]
report "a pid file that is a link is not followed (P6)"
stop

# ---- a poor environment ----

behind() { # COMMAND...: like start, the command is all there is
	: >"$log"
	"$@" >>"$log" 2>&1 &
	pid=$!
}
mount -t tmpfs -o ro none /mnt
behind "$bin/miredo" -f -c "$c" -u nobody --run-dir /mnt/run -p /mnt/pid
within 5 has 'serves as client' && has 'no pid file: /mnt/pid' &&
	has 'no control socket: /mnt/run'
report "a read-only /run costs the pid file and the control socket (E2)"
stop
for owner in nobody daemon; do
	mkdir "$dir/run-$owner"
	chown $owner "$dir/run-$owner"
	behind "$bin/miredo" -f -c "$c" -u nobody --run-dir "$dir/run-$owner" \
		-p "$dir/pid"
	within 5 has 'serves as client'
	socket=$([ -S "$dir/run-$owner/teredo.sock" ] && echo yes)
	warning=$(has 'no control socket' && echo yes)
	[ "$owner:$socket:$warning" = nobody:yes: ] ||
		[ "$owner:$socket:$warning" = daemon::yes ]
	report "a run directory of $owner's is ${socket:+used}${warning:+refused}"
	stop
done
behind prlimit --nofile=16:16 "$bin/miredo" -f -c "$c" -u nobody \
	--run-dir "$run" -p "$dir/pid"
within 5 has 'serves as client'
report "16 descriptors are enough (E3)"
stop
if "$bin/miredo" -V | grep -q '^sandbox: seccomp'; then
	behind prlimit --as=33554432 "$bin/miredo" -f -c "$c" -u nobody \
		--run-dir "$run" -p "$dir/pid"
	within 5 has 'serves as client'
	report "32 MB of address space are enough (E4)"
	stop
fi
sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
start -c "$c"
within 5 has 'serves as client' &&
	[ "$(cat /proc/sys/net/ipv6/conf/teredo/disable_ipv6)" = 0 ]
report "IPv6 that is off elsewhere is on here (E1)"
stop
container() { # CONF: as there, nothing below /proc/sys can be written
	conf relay.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 4445'
	timeout -k 1 60 unshare -m sh -c 'mount --bind /proc/sys /proc/sys &&
		mount -o remount,bind,ro /proc/sys && exec "$@"' - \
		"$bin/miredo" -f -c "$1" -u nobody --run-dir "$run" \
		-p "$dir/pid" >"$log" 2>&1
	rc=$?
}
for c6 in "$c" "$dir/relay.conf"; do
	container "$c6"
	[ "$rc" -eq 69 ] && nothing_left && ! has 'denied' &&
		has 'IPv6 is disabled on it: sysctl net.ipv6.conf.teredo.dis' &&
		has 'containers: --sysctl net.ipv6.conf.default.disable_ipv6=0'
	report "where it cannot be, that is said, with the remedy: ${c6##*/}"
done
sysctl -qw net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.all.disable_ipv6=0

# ---- daemon ----

out=$("$bin/miredo" -u nobody -c "$c" --run-dir "$run" -p "$dir/pid" 2>&1)
code=$?
echo "$out" >"$log"
pid=$(cat "$dir/pid")
answers() {
	asked "$log" "$bin/miredoctl" --run-dir "$run" status
	[ $? -eq 5 ]	# running, not qualified
}
[ $code -eq 0 ] && kill -0 "$pid" && ip link show teredo >/dev/null && answers
report "a daemon's start returns 0 when it serves, and lets the terminal go"
miredo -u nobody -c "$c" --run-dir "$run" -p "$dir/pid"
[ "$rc" -eq 75 ] && has "already running: PID $pid"
report "a second daemon says why not"
kill -TERM "$pid"
within 2 nothing_left
report "SIGTERM ends the daemon"

# ---- as a service user, without root ----

mount -t tmpfs none /dev/net
mknod -m 666 /dev/net/tun c 10 200
mkdir "$dir/user"
chown nobody "$dir/user"
setpriv --reuid nobody --regid nogroup --clear-groups \
	--inh-caps +net_admin --ambient-caps +net_admin \
	"$bin/miredo" -f -c "$c" --run-dir "$dir/user" -p "$dir/user/pid" \
	>"$log" 2>&1 &
pid=$!
within 5 has 'serves as client' &&
	grep -q '^CapEff:.0000000000001000$' "/proc/$pid/status" &&
	grep -q '^CapAmb:.0000000000000000$' "/proc/$pid/status"
report "User= and an ambient CAP_NET_ADMIN do"
stop
[ "$rc" -eq 0 ]
report "and end clean"

for i in 1 2 3 4 5 6 7 8 9 10; do
	start -c "$c"
	within 3 has 'serves as client' || break
	stop
done
[ "$i" -eq 10 ] && [ "$rc" -eq 0 ] && nothing_left
report "ten starts and stops in a row (E7)"

finish
