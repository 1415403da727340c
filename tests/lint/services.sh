#!/bin/sh
# services.sh - systemd's units as built: what systemd-analyze thinks of their
# sandbox, and what the init scripts' shells think of them. That the daemons
# work inside is tests/package's to show. Prints TAP.
set -u

cd "${top_builddir:?}" || exit 99
LC_ALL=C
export LC_ALL
count=0

# result NAME PROBLEMS: good when there are none
result()
{
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# The overall exposure of a unit, when it is more than 2.0 or unknown.
exposure()
{
	score=$(systemd-analyze security --offline=true --no-pager "$1" |
		sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p')
	case $score in
	[01].[0-9] | 2.0) ;;
	*) echo "exposure: ${score:-unknown}" ;;
	esac
}

# What systemd finds wrong with a unit, but for what is not installed yet.
verify()
{
	systemd-analyze --man=no verify "$1" 2>&1 |
		grep -v 'is not executable: No such file'
}

set -- conf/systemd/*.service
[ $# -eq 4 ] && missing= || missing="$*"
result 'there are four services' "$missing"
for unit; do
	result "$unit exposes at most 2.0" "$(exposure "./$unit")"
	result "systemd likes $unit" "$(verify "./$unit")"
done
timer=conf/systemd/miredo-metrics@.timer
result "systemd likes $timer" "$(verify "./$timer")"
set -- conf/systemd/*.service "$timer" conf/init/miredo* conf/openrc/miredo*
result 'every name was put in' "$(grep -nE '@[a-z]+@' "$@")"
for script in conf/init/miredo conf/init/miredo-server; do
	result "a shell reads $script" "$(sh -n "$script" 2>&1)"
done
echo "1..$count"
