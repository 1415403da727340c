#!/bin/sh
# The manual pages: mandoc has nothing to say about them, and each is
# installed. Prints TAP.
set -u

cd "${top_srcdir:?}/man" || exit 99
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

# Whether pages of others are there depends on what is installed.
lint()
{
	mandoc -T lint -W style "$1" 2>&1 |
		grep -v -e 'referenced manual not found' \
			-e 'outdated mandoc.db' -e '^$'
}

set -- *.[1-9]
echo "1..$((2 * $# + 1))"
command -v mandoc >/dev/null && missing= || missing='mandoc is missing'
result 'mandoc is installed' "$missing"
for page; do
	result "mandoc likes $page" "$(lint "$page")"
	grep -q "man/$page" ../Makefile.am && missing= || missing=missing
	result "$page is in Makefile.am" "$missing"
done
