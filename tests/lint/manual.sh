#!/bin/sh
# The manual keeps up with the code: every code of health has its remedy in
# doc/troubleshooting.md and stands in miredoctl(8), every directive in a manual
# page, every command of miredoctl in miredoctl(8); links lead somewhere, and
# chapters are installed. Prints TAP.
set -u

cd "${top_srcdir:?}" || exit 99
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

# The words of standard input that no line of these files has, as PATTERN with
# @ for the word.
missing_in()
{
	pattern=$1
	shift
	while read -r word; do
		regex=$(echo "$pattern" | sed "s|@|$word|")
		cat "$@" | grep -qE -e "$regex" || echo "$word"
	done
}

codes()
{
	sed -n 's/^\t\t"\([a-z0-9-]*\)", HEALTH_[A-Z]*,$/\1/p' src/health.c
}

directives()
{
	sed -n 's/^\t{"\([A-Z][A-Za-z0-9]*\)", .*/\1/p' src/conf_directive.c
}

# But for the one that completion asks, which is no one's to type.
commands()
{
	sed -n 's/^\t{"\([a-z]*\)", miredoctl_cmd_.*/\1/p' src/miredoctl.c |
		grep -vx complete
}

# FILE: TARGET of each relative link that is no file
dead_links()
{
	for file in ./*.md doc/*.md; do
		[ ! -L "$file" ] || continue
		grep -o '](\([^)]*\))' "$file" | sed 's/^](//; s/)$//; s/#.*//' |
			grep -v -e '^$' -e '^[a-z]*:' | sort -u |
			while read -r target; do
				[ -e "${file%/*}/$target" ] ||
					echo "$file: $target"
			done
	done
}

chapters()
{
	sed -n 's/^| \[.*](\([a-z-]*\.md\)) |.*/doc\/\1/p' doc/manual.md
}

known=$(codes | wc -l)
declared=$(grep -c '^	HEALTH_[A-Z0-9_]*,' src/health.h)
result 'every code of health.c is seen here' \
	"$([ "$known" -eq "$declared" ] || echo "$known of $declared")"
# shellcheck disable=SC2016 # Markdown's quotes
result 'every code is in the tables of doc/troubleshooting.md' \
	"$(codes | missing_in '^\|.*\| `@` \|' doc/troubleshooting.md)"
result 'every code is in miredoctl(8)' \
	"$(codes | missing_in '^\.It Cm (.* )?@( |$)' man/miredoctl.8)"
result 'there are directives' "$([ "$(directives | wc -l)" -ge 20 ] || echo few)"
result 'every directive is in a manual page' \
	"$(directives | missing_in '(It|Cm|Li|Ic) .*@' man/*.conf.5)"
result 'there are commands' "$([ "$(commands | wc -l)" -ge 8 ] || echo few)"
result 'every command is in miredoctl(8)' \
	"$(commands | missing_in '^\.It Cm @( |$)' man/miredoctl.8)"
result 'links lead somewhere' "$(dead_links)"
result 'the manual has chapters' "$([ "$(chapters | wc -l)" -ge 7 ] || echo few)"
result 'chapters are installed' \
	"$(chapters | missing_in '@' Makefile.am)"
echo "1..$count"
