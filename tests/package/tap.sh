# tap.sh - what the tests inside a tree share; sourced. Prints TAP.
#
# shellcheck shell=sh

count=0
failed=0
log=/tmp/log
LC_ALL=C.UTF-8
DEBIAN_FRONTEND=noninteractive
export LC_ALL DEBIAN_FRONTEND

# report NAME: on the command before it; what it said is in $log
report()
{
	ok=$?
	count=$((count + 1))
	if [ $ok -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		failed=$((failed + 1))
		sed 's/^/# /' "$log"
	fi
}

# gives STATUS COMMAND...: its exit status is that one
gives()
{
	wanted=$1
	shift
	"$@" >"$log" 2>&1 </dev/null
	got=$?
	[ $got -eq "$wanted" ] && return 0
	echo "status $got, wanted $wanted: $*" >>"$log"
	return 1
}

says()
{
	grep -q -e "$1" "$log"
}

# within SECONDS COMMAND...: it comes true
within()
{
	left=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		if [ $left -le 0 ]; then
			"$@" >>"$log" 2>&1
			echo "did not come true: $*" >>"$log"
			return 1
		fi
		sleep 0.05
	done
}

# Every process of ours that runs, by its name: nobody else is in here.
ours()
{
	pgrep '^miredo'
}

nothing_runs()
{
	! ours && ! ip link show teredo 2>>"$log"
}

# This host, and behind its uplink another one with a server's addresses, which
# are not for a server on this one: it would take the client for itself.
make_network()
{
	ip link set lo up
	ip netns add far
	ip link add uplink type veth peer name line netns far
	ip link set uplink up
	ip addr add 192.0.2.9/24 dev uplink
	ip addr add 192.0.2.11/24 dev uplink
	ip addr add 192.0.2.12/24 dev uplink
	ip route add default via 192.0.2.254
	ip -n far link set lo up
	ip -n far link set line up
	ip -n far addr add 192.0.2.1/24 dev line
	ip -n far addr add 192.0.2.2/24 dev line
	ip -n far route add default dev line
}

start_far_server()
{
	echo 'ServerBindAddress 192.0.2.1' >/tmp/far.conf
	ip netns exec far miredo-server -c /tmp/far.conf -p /tmp/far.pid \
		--run-dir /tmp/far
}

stop_far_server()
{
	kill "$(cat /tmp/far.pid)"
	within 5 test ! -s /tmp/far.pid
}

# An init script's actions are its own only where systemd does not take them;
# and names of networks stay in a mount namespace of the caller's.
hide_init()
{
	[ ! -d /run/systemd/system ] || mount -t tmpfs none /run/systemd
	mkdir -p /run/netns
	mount -t tmpfs none /run/netns
}

# What a package does to services counts also where there is no init.
allow_services()
{
	printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
}

configure_client()
{
	mkdir -p /etc/miredo
	printf 'InterfaceName teredo\nServerAddress 192.0.2.1\n%s\n' \
		'BindAddress 192.0.2.9' >/etc/miredo/miredo.conf
}

configure_server()
{
	mkdir -p /etc/miredo
	echo 'ServerBindAddress 192.0.2.11' >/etc/miredo/miredo-server.conf
}

# answers INSTANCE: its control socket works, however it is
answers()
{
	miredoctl -i "$1" status --json >"$log" 2>&1
	says '"role"'
}

qualifies()
{
	gives 0 miredoctl -i teredo status --wait qualified --timeout 10
}

address()
{
	ip -6 -o addr show dev teredo scope global | awk '{ print $4 }'
}

# Files, and their kind, that packages can leave behind.
list_files()
{
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp \
		-o -path /debs -o -path /test -o -path /var/cache \
		-o -path /var/lib/dpkg -o -path /var/lib/apt \
		-o -path /var/log -o -path /run/netns -o -name '*shadow-' -o -name passwd- \
		-o -name group- \) -prune -o -print | sort
	find /run -path /run/netns -prune -o -path /run/adduser -o -print | sort
}

# FILE: TARGET of each relative link in an installed document that is no file
dead_links()
{
	for file in /usr/share/doc/miredo/*.md; do
		grep -o '](\([^)]*\))' "$file" | sed 's/^](//; s/)$//; s/#.*//' |
			grep -v -e '^$' -e '^[a-z]*:' | sort -u |
			while read -r target; do
				[ -f "${file%/*}/$target" ] ||
					echo "$file: $target"
			done
	done
}

# serves_group PIDFILE: the service and its socket are of the group miredo, and
# nogroup gets no more than anybody
serves_group()
{
	group=$(getent group miredo | cut -d: -f3)
	{
		grep ^Gid "/proc/$(cat "$1")/status"
		id miredo
	} >"$log" 2>&1
	[ -n "$group" ] && says "^Gid:.$group.$group.$group.$group\$" &&
		[ "$(id -g miredo)" = "$group" ] || return
	gives 4 setpriv --reuid nobody --regid nogroup --clear-groups \
		miredoctl -i teredo peers &&
		gives 0 setpriv --reuid nobody --regid nogroup \
			--groups "$group" miredoctl -i teredo peers
}

finish()
{
	echo "1..$count"
	exit $((failed > 0))
}
