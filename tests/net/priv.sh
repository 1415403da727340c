# shellcheck shell=sh
# priv.sh - what the tests of the parent share; sourced first
#
# The test runs again in pid, mount and network namespaces of its own: when
# it ends, however that is, every process and interface that it made is gone.
# In there: 192.0.2.1 and .2 are a server's ("ip netns exec far"), 192.0.2.9
# is ours, on one wire.

if [ -z "${PRIV_LAB-}" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "Bail out! needs root for network namespaces and tun"
		exit 1
	fi
	PRIV_LAB=$(mktemp -d) || exit 1
	export PRIV_LAB
	chmod 755 "$PRIV_LAB"
	unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
	code=$?
	rm -rf "$PRIV_LAB"
	exit $code
fi

umask 022
dir=$PRIV_LAB
# Where the service's user may go too: the build may be below /root.
bin=$dir/programs
mkdir "$bin"
for program in miredo miredo-server miredo-engine miredo-resolver miredoctl; do
	cp "${top_builddir:-.}/$program" "$bin" || exit 1
done
run=$dir/run
count=0
failed=0
log=$dir/log
pid=

mount -t tmpfs tmpfs /run
mkdir /run/netns
ip link set lo up
ip netns add far
ip link add wire type veth peer name wire netns far
ip addr add 192.0.2.9/24 dev wire
ip link set wire up
ip -n far addr add 192.0.2.1/24 dev wire
ip -n far addr add 192.0.2.2/24 dev wire
ip -n far link set lo up
ip -n far link set wire up
ip route add default via 192.0.2.1

# hosts LINE...: all that /etc/hosts says in here from now on
hosts() {
	if ! [ -d "$dir/etc" ]; then
		mkdir "$dir/etc" "$dir/etc-work"
		mount -t overlay overlay -o \
			"lowerdir=/etc,upperdir=$dir/etc,workdir=$dir/etc-work" \
			/etc
	fi
	printf '%s\n' "$@" >/etc/hosts
}

# ok TEXT: the command before it succeeded
report() {
	code=$?
	count=$((count + 1))
	if [ $code -eq 0 ]; then
		echo "ok $count - $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $count - $1"
	tail -n 60 "$log" | cut -c 1-200 | tr -c '\n -~' '?' | sed 's/^/# /'
}

finish() {
	echo "1..$count"
	[ "$failed" -eq 0 ]
	exit
}

conf() { # NAME LINE...
	name=$1
	shift
	printf '%s\n' "$@" ${DATAPATH:+"DataPath $DATAPATH"} >"$dir/$name"
}

# miredo ARG...: runs it to its end, at most 60 s; output in $log, status in $rc
miredo() {
	timeout -k 1 60 "$bin/miredo" "$@" >"$log" 2>&1
	export rc=$?
}

# start ARG...: in the foreground, behind; its pid in $pid
start() {
	: >"$log"
	"$bin/miredo" -f -u nobody --run-dir "$run" -p "$dir/pid" "$@" \
		>>"$log" 2>&1 &
	pid=$!
}

# broken ENGINE PROGRAM CONF: a copy of the program, with another engine beside
broken() {
	mkdir -p "$dir/bin"
	cp "$bin/$2" "$bin/miredo-resolver" "$dir/bin"
	cp "$1" "$dir/bin/miredo-engine"
	: >"$log"
	"$dir/bin/$2" -f -u nobody --run-dir "$run" -p "$dir/pid" \
		-c "$dir/$3" >>"$log" 2>&1 &
	pid=$!
}

# start_server [LINE...]: on the far side; its pid in $server
start_server() {
	[ $# -gt 0 ] || set -- 'ServerBindAddress 192.0.2.1'
	conf server.conf "$@"
	: >"$dir/far.log"
	ip netns exec far "$bin/miredo-server" -f -u nobody \
		-c "$dir/server.conf" --run-dir "$dir/far" -p "$dir/far.pid" \
		>>"$dir/far.log" 2>&1 &
	server=$!
}

stop_server() {
	kill -TERM "$server"
	wait "$server"
}

ended() { ! kill -0 "$pid" 2>/dev/null; }
has() { grep -q -e "$1" "$log"; }

# within SECONDS COMMAND...: tries every 20 ms until it succeeds. That long it
# may take on a machine that does nothing else; a busy one gets ten times that.
within() {
	tries=$(($1 * 500))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}

# stop: SIGTERM; status in $rc
stop() {
	kill -TERM "$pid"
	wait "$pid"
	rc=$?
}

# asked FILE COMMAND...: what miredoctl says goes to FILE. It waits for two
# seconds, and is run again when the engine had no processor for so long.
asked() {
	said=$1
	shift
	for _ in 1 2 3 4 5; do
		"$@" >"$said" 2>&1
		answer=$?
		grep -q 'gave no answer in time' "$said" || break
	done
	return $answer
}

address() {
	ip -6 -o addr show dev "${1-teredo}" scope global 2>/dev/null |
		awk '{ print $4 }'
}
has_address() { [ "$(address "$@" | wc -l)" -eq 1 ]; }
engine() { [ -n "$pid" ] && pgrep -P "$pid" -x miredo-engine; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# waited_ms: in which something wanted to run and could not, ever: for want of a
# processor, or because the machine's host had none for it; as far as it is known
waited_ms() {
	cat /proc/stat /proc/pressure/cpu 2>/dev/null |
		awk -v "hertz=$(getconf CLK_TCK)" '
			/^cpu / { ms += $9 * 1000 / hertz }
			/^some / { ms += substr($NF, 7) / 1000 }
			END { printf "%.0f\n", ms }'
}

# begin; ...; in_time MS: whether at most so many ms are between them, which
# stand in $took. Two seconds, and those without a processor, are forgiven.
begin() {
	began=$(now_ms)
	had_waited=$(waited_ms)
}
in_time() {
	took=$(($(now_ms) - began))
	[ $took -le $(($1 + 2000 + $(waited_ms) - had_waited)) ]
}
