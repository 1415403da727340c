#!/bin/sh
# shell.sh - shellcheck over every shell script, codespell over all texts

cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 1

status=0
for tool in shellcheck codespell; do
	command -v $tool >/dev/null && continue
	echo "Bail out! $tool is not installed: tools/deps test installs it"
	exit 1
done

scripts=$(grep -rlE '^#! ?/(usr/bin/env )?(bin/)?(ba)?sh' \
	--include='*' tools tests .ci conf src 2>/dev/null | sort)
# shellcheck disable=SC2086 # a list of names without spaces
if out=$(shellcheck -x $scripts 2>&1); then
	echo "ok 1 - shell scripts are clean"
else
	echo "not ok 1 - shell scripts are clean"
	echo "$out" | sed 's/^/# /'
	status=1
fi

if out=$(codespell -q 3 -L nd,te,cleint,ect \
	--skip '*/corpus/*' \
	libteredo libtun6 src tests tools man conf doc ./*.md 2>&1); then
	echo "ok 2 - words are spelt right"
else
	echo "not ok 2 - words are spelt right"
	echo "$out" | sed 's/^/# /'
	status=1
fi
echo 1..2
exit $status
