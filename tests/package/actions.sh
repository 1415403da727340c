# actions.sh - what the init scripts do, once the packages are installed, nothing
# is configured and the network is made; sourced. Prints TAP.
#
# shellcheck shell=sh disable=SC2154 # tap.sh has log

s=/etc/init.d/miredo

# ---- the server ----

configure_server
gives 0 /etc/init.d/miredo-server start &&
	answers server
report "the server's script has started it when it ends"
gives 0 /etc/init.d/miredo-server status && [ "$(ps -o user= \
	-p "$(cat /run/miredo-server.pid)")" = miredo ]
report "the server runs, as miredo"
gives 0 /etc/init.d/miredo-server restart &&
	gives 0 /etc/init.d/miredo-server reload &&
	answers server
report "the server is restarted, and reloaded"

# ---- the client ----

start_far_server >"$log" 2>&1
report "another host's server starts"
configure_client
gives 0 $s start && answers teredo
report "start: when it ends, the client can be asked"
pid=$(cat /run/miredo.pid)
gives 0 $s status && says "$pid"
report "status of a service that runs: 0, and its PID"
qualifies
report "the client qualifies"
address=$(address)
gives 0 $s start && [ "$(cat /run/miredo.pid)" = "$pid" ]
report "start of what runs: 0, and it is the same process"
gives 0 $s reload &&
	qualifies &&
	[ "$(cat /run/miredo.pid)" = "$pid" ] && [ "$(address)" = "$address" ]
report "reload: the same process, the same address"
gives 0 $s force-reload && [ "$(cat /run/miredo.pid)" = "$pid" ]
report "force-reload is a reload"

echo 'RelayType cleint' >>/etc/miredo/miredo.conf
gives 6 $s reload && says 'did you mean "client"'
report "reload of a bad configuration: 6, with the error and its place"
gives 6 $s restart && gives 0 $s status && [ "$(cat /run/miredo.pid)" = "$pid" ]
report "restart with a bad configuration: 6, and the service still runs"
configure_client
gives 0 $s restart && gives 0 $s status && [ "$(cat /run/miredo.pid)" != "$pid" ]
report "restart: another process"
gives 0 $s try-restart && gives 0 $s status
report "try-restart of what runs"

gives 4 setpriv --reuid nobody --clear-groups $s stop && gives 0 $s status
report "who is not root may not: 4"
gives 0 setpriv --reuid nobody --clear-groups $s status
report "who is not root may ask for the status"

kill -KILL "$(cat /run/miredo.pid)"
within 5 sh -c '! ip link show teredo'
gives 1 $s status
report "status of a service that was killed: 1"
gives 0 $s start && gives 0 $s status
report "it is started again"

gives 0 $s stop && gives 3 $s status && ! ip link show teredo >"$log" 2>&1
report "stop: 0, its status is 3, its interface is gone"
gives 0 $s stop
report "and once more: 0"
gives 0 $s try-restart && gives 3 $s status
report "try-restart of what does not run starts nothing"

echo '#START_MIREDO=true' >/etc/default/miredo
gives 0 $s start && says 'not started' && gives 3 $s status
report "start is without effect while START_MIREDO is not true"
gives 0 $s force-start && gives 0 $s status
report "force-start starts it all the same"
gives 0 $s force-stop && gives 3 $s status
report "force-stop stops it"
rm /etc/default/miredo

ip link add teredo type veth peer name other
gives 1 $s start && says 'it exists and is no tunnel\|cannot create interface'
report "start fails, with the reason, when the interface is taken: 1"
ip link del teredo

# ---- /etc/default ----

mv /etc/miredo/miredo.conf /etc/miredo/other.conf
cat >/etc/default/miredo <<'END'
START_MIREDO=true
DAEMON_ARGS="--config=/etc/miredo/other.conf -p /run/other.pid"
END
gives 0 $s start && gives 0 $s status && says "$(cat /run/other.pid)" &&
	gives 0 $s reload && gives 0 $s restart
report "DAEMON_ARGS chooses configuration and PID file, for all actions"
echo 'RelayType cleint' >>/etc/miredo/other.conf
gives 6 $s restart && says other.conf && gives 0 $s status
report "and it is that configuration that is checked"
gives 0 $s stop && gives 3 $s status && ! ip link show teredo >"$log" 2>&1
report "and that process that is stopped"
rm /etc/default/miredo /etc/miredo/other.conf /run/other.pid
configure_client

# ---- Miredo's hook ----

printf '#!/bin/sh\ntouch /tmp/hook-ran\n' >/etc/miredo/client-hook
chmod +x /etc/miredo/client-hook
gives 0 $s start && says 'client-hook is not run' &&
	qualifies &&
	[ ! -e /tmp/hook-ran ]
report "a client-hook is warned about, and not run"
stop_far_server
report "another host's server ends"
