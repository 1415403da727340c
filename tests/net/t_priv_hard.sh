#!/bin/sh
# What a start inherits, two at once, a reload that fails half-way, and a log
# that nobody reads: the parent neither believes, nor waits, nor gives in.
# shellcheck disable=SC2317,SC2119 source-path=SCRIPTDIR source=priv.sh
. "$(dirname "$0")/priv.sh"

conf client.conf 'RelayType client' 'InterfaceName teredo' \
	'ServerAddress 192.0.2.1'
c=$dir/client.conf

another_engine() { new=$(engine) && [ "$new" != "$old" ]; }
serves_again() { another_engine && has 'a new engine serves'; }
bound() { ss -Hlun | grep -q "$1 "; }

# ---- what is inherited ----

: >"$log"
python3 -c 'import os, signal, sys
for s in (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM):
    signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 31))
os.execv(sys.argv[1], sys.argv[1:])' "$bin/miredo" -f -u nobody -c "$c" \
	--run-dir "$run" -p "$dir/pid" >>"$log" 2>&1 </proc/self/status &
pid=$!
within 5 has 'serves as client'
old=$(engine)
kill -KILL "$old"
within 3 serves_again
report "with SIGCHLD ignored when it began, an engine's death is seen"
new=$(engine)
[ "$(readlink "/proc/$pid/fd/0")" = /dev/null ] &&
	[ "$(readlink "/proc/$new/fd/0")" = /dev/null ]
report "nobody has the standard input of who started it"
kill -HUP "$pid"
within 3 has 'reloaded'
report "SIGHUP is a reload, even under nohup"
kill -TERM "$pid"
within 2 ended
report "SIGTERM ends it"
kill -KILL "$pid" 2>/dev/null

# ---- a daemon that is told to end before it serves ----

mkdir "$dir/bin"
cp "$bin/miredo" "$dir/bin"
cp "$bin/miredo-resolver" "$dir/bin/miredo-engine"	# ends, never ready
: >"$log"
"$dir/bin/miredo" -u nobody -c "$c" --run-dir "$run" -p "$dir/pid" \
	>"$log" 2>&1 &
launcher=$!
within 5 has 'engine ended'
kill -TERM "$(cat "$dir/pid")"
wait $launcher
[ $? -eq 70 ]
report "a daemon that ends before it serves has not started"

rm "$dir/bin/miredo-engine"
cp -r "$dir/bin" "$dir/alone"
timeout 60 "$dir/alone/miredo" -f -u nobody -c "$c" --run-dir "$run" \
	-p "$dir/pid" >"$log" 2>&1
[ $? -eq 69 ] && has 'miredo-engine cannot be executed: No such file'
report "without its engine it says so and does not try"

timeout 60 prlimit --nofile=15 "$bin/miredo" -f -u nobody -c "$c" \
	--run-dir "$run" -p "$dir/pid" >"$log" 2>&1
[ $? -eq 70 ] && has 'the engine ended: not started: Too many open files' &&
	has 'giving up'
report "without descriptors for an engine it gives up and says why"

: >"$log"
conf name.conf 'ServerAddress nowhere.example'
prlimit --nofile=16 "$bin/miredo" -f -u nobody \
	-c "$dir/name.conf" --run-dir "$run" -p "$dir/pid" >>"$log" 2>&1 &
pid=$!
within 5 has 'cannot start the resolver: Too many open'
sleep 10
has 'serves as client' &&
	[ "$(grep -c 'cannot start the resolver: Too many open' "$log")" -eq 1 ]
report "without those for a resolver it says so once"
stop

# ---- reload ----

conf low.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 443'
start -c "$dir/low.conf"
within 5 has 'serves as relay'
: >"$log"
sed -i 's/443/444/' "$dir/low.conf"
kill -HUP "$pid"
within 3 has 'no permission for UDP port 444' &&
	within 3 has 'a new engine serves' && bound 0.0.0.0:443
report "a port that only root may have is not lost in a reload"
: >"$log"
conf low.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 443' \
	'BindAddress 192.0.2.9'
kill -HUP "$pid"
within 3 has 'no permission for UDP port 443' &&
	within 3 has 'a new engine serves' && bound 0.0.0.0:443
report "nor when only the address would change"
stop

conf near.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 4443'
start -c "$dir/near.conf"
within 5 has 'serves as relay'
: >"$log"
echo 'BindAddress 192.0.2.9' >>"$dir/near.conf"
kill -HUP "$pid"
within 3 has 'reloaded' && within 3 has 'a new engine serves' &&
	bound 192.0.2.9:4443 && ! bound 0.0.0.0:4443
report "an address that overlaps with the old one is taken over"
stop

hosts '192.0.2.9 me.example'
conf name.conf 'RelayType relay' 'InterfaceName teredo' 'BindPort 4443' \
	'BindAddress me.example'
start -c "$dir/name.conf"
within 5 has 'serves as relay' && bound 192.0.2.9:4443
report "BindAddress may be a name"
: >"$log"
ip addr add 192.0.2.19/24 dev wire
hosts '192.0.2.19 me.example'
kill -HUP "$pid"
within 3 has 'a new engine serves' && within 3 bound 192.0.2.19:4443
report "and a name that means another address is a change"
stop

start_server
start -c "$c"
within 5 has_address
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	: >"$log"
	old=$(engine)
	kill -HUP "$pid"
	within 3 serves_again || break
done
sleep 0.2
! has 'could not be set'
report "a dozen reloads in a minute cost no address"

: >"$log"
ip link set teredo down
within 2 has 'was set down'
conf client.conf 'RelayType client' 'InterfaceName teredo' 'BindPort 4321' \
	'ServerAddress 192.0.2.1'
kill -HUP "$pid"
within 5 has 'mapping changed' && sleep 1.2 && ! has 'could not be set'
report "an address for an interface that is set down is no error"
ip link set teredo up
new_mapping() { address | grep -q ':ef1e:3fff:fdf6/32'; }	# port 4321
within 2 new_mapping
report "it is there when the interface comes up"

ip -n far addr add 192.0.2.101/24 dev wire
ip -n far addr add 192.0.2.102/24 dev wire
conf other.conf 'ServerBindAddress 192.0.2.101'
ip netns exec far "$bin/miredo-server" -f -u nobody -c "$dir/other.conf" \
	--run-dir "$dir/other" -p "$dir/other.pid" >"$dir/other.log" 2>&1 &
other=$!
within 5 grep -q 'serves as server' "$dir/other.log"
sed -i 's/192.0.2.1$/192.0.2.101/' "$c"
kill -HUP "$pid"
other_server() { address | grep -q '^2001:0:c000:265:' && has_address; }
within 5 other_server
report "a reload takes the client to another server"
stop
kill $other
wait $other		# or it answers the next client

# ---- two at once ----

the_servers_alone() { [ "$(pgrep -xc miredo-engine)" -eq 1 ]; }

both_lost=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	rm -f "$dir/log.1" "$dir/log.2"
	for n in 1 2; do
		"$bin/miredo" -f -u nobody -c "$c" --run-dir "$run" \
			-p "$dir/pid.$n" >"$dir/log.$n" 2>&1 &
		echo $! >"$dir/is.$n"
	done
	within 3 grep -q 'serves as client' "$dir/log.1" "$dir/log.2"
	asked "$dir/status" "$bin/miredoctl" --run-dir "$run" status
	[ $? -eq 5 ] || {
		both_lost=$((both_lost + 1))
		cat "$dir/status" "$dir/log.1" "$dir/log.2" >>"$dir/lost"
	}
	kill -KILL "$(cat "$dir/is.1")" "$(cat "$dir/is.2")" 2>/dev/null
	wait "$(cat "$dir/is.1")" "$(cat "$dir/is.2")" 2>/dev/null
	# An engine that is just dying still holds the socket.
	within 2 the_servers_alone
done
cp "$dir/lost" "$log" 2>/dev/null
[ $both_lost -eq 0 ]
report "of two that start at once the one that serves has the control socket"

# ---- a log that nobody reads ----

begun() {
	"$bin/miredoctl" --run-dir "$run" status --wait preparing --timeout 0 ||
		ip link show teredo
}

mkfifo "$dir/fifo"
sh -c "exec sleep 600" <"$dir/fifo" &	# opens it and never reads
reader=$!
python3 -c 'import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
fcntl.fcntl(fd, 1031, 4096)
os.write(fd, b"." * 4096)
os.dup2(fd, 2)
os.execv(sys.argv[2], sys.argv[2:])' "$dir/fifo" "$bin/miredo" -f -u nobody \
	-c "$c" --run-dir "$run" -p "$dir/pid" &
pid=$!
within 5 begun
within 2 engine
old=$(engine)
kill -KILL "$old"
within 3 another_engine
report "a full pipe at stderr does not stop the parent"
kill -TERM "$pid"
within 2 ended
report "nor its end"
kill -KILL "$pid" 2>/dev/null
kill $reader

mount -t tmpfs none /dev
mkdir /dev/net
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/urandom c 1 9
mknod -m 666 /dev/net/tun c 10 200
: >"$dir/syslog"
python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
out = open(sys.argv[1], "a", buffering=1)
sys.stdin.readline()
while True:
    out.write(s.recv(4096).decode() + "\n")' "$dir/syslog" <"$dir/fifo" &
syslogd=$!
exec 9>"$dir/fifo"
within 5 chmod 666 /dev/log
"$bin/miredo" -u nobody -c "$c" --run-dir "$run" -p "$dir/pid" >"$log" 2>&1
report "a daemon starts beside a syslogd that hangs"
pid=$(cat "$dir/pid")
sed -i 's/client$/clien/' "$c"
# Two signals of a kind that are pending are one.
heard() { grep -q '^ShdPnd:.0*$' "/proc/$pid/status"; }
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	kill -HUP "$pid"	# four lines each
	within 3 heard
done
sed -i 's/clien$/client/' "$c"
old=$(engine)
kill -KILL "$old"
within 3 another_engine
report "and its parent does not wait for it"
echo go >&9
within 3 [ -s "$dir/syslog" ]	# there is room again
kill -HUP "$pid"
within 3 grep -q 'lines lost' "$dir/syslog"
cp "$dir/syslog" "$log"
grep -q '^<29>miredo\[[0-9]*\]: version' "$log" && has 'lines lost'
report "it says how many lines were lost when syslogd goes on"
kill -TERM "$pid"
within 2 ended
report "and ends"
"$bin/miredo" -f --syslog -u nobody -c "$c" --run-dir "$run" -p "$dir/pid" \
	>"$log" 2>&1 &
pid=$!
within 5 engine
kill -HUP "$pid"
within 3 grep -q "^<29>miredo\[$pid\]: reloaded" "$dir/syslog"
report "in the foreground it logs to syslogd, if it is told to"
kill -TERM "$pid"
within 2 ended
! has 'reloaded'
report "and to standard error only until it is ready"
kill $syslogd

finish
