#!/bin/sh
# shellcheck disable=SC2086 # $files is a list of names without spaces
# size.sh - the limits of the house: a file has at most 600 lines, a function
# at most 60. What outgrows them is redesigned, not cut by line count.

cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 1

files=$(find libteredo libtun6 src tests -name '*.[ch]' | sort)

report()
{
	if test -n "$2"; then
		echo "not ok $1 - $3"
		echo "$2" | sed 's/^/# /'
		return 1
	fi
	echo "ok $1 - $3"
}

status=0
report 1 "$(wc -l $files | awk '$2 != "total" && $1 > 600')" \
	"no file has more than 600 lines" || status=1
report 2 "$(awk '
	FNR == 1 { open = 0 }
	/^[A-Za-z_].*\(/ { name = $0 }
	/^\{/ { open = FNR }
	/^\}/ {
		if (open && FNR - open > 60)
			print FILENAME ":" open ": " FNR - open " lines: " name
		open = 0
	}' $files)" "no function has more than 60 lines" || status=1
report 3 "$(grep -nwE 'TODO|FIXME|XXX|not implemented' $files)" \
	"nothing is left for later" || status=1
echo 1..3
exit $status
