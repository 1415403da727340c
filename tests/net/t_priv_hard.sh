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

finish
