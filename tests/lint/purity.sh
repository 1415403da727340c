#!/bin/sh
# purity.sh - libteredo is C11 and nothing else
#
# What it includes, what it asks the linker for, and that it knows no feature
# macros. Symbols of sanitizers, of gcov and of the compiler's own hardening
# are not its doing.

LC_ALL=C
export LC_ALL
src=${top_srcdir:-.}/libteredo
lib=${top_builddir:-.}/libteredo.a

headers='assert|stdbool|stddef|stdint|stdlib|string'
symbols='mem(cpy|set|cmp|move)|bcmp|calloc|free'	# bcmp: clang's memcmp
symbols="$symbols|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
symbols="$symbols|__mem(cpy|set|move)_chk"
symbols="$symbols|__(asan|ubsan|sanitizer|sancov|gcov|llvm)_.*"
symbols="$symbols|__(start|stop)___(sancov|llvm)_.*"

# Prints the #include directives of the files named but the allowed ones: a
# header of C11 or a file of libteredo itself.
foreign_includes()
{
	grep -Hn '^[[:space:]]*#[[:space:]]*include' "$@" |
	grep -Ev "<($headers)\.h>" |
	while IFS= read -r line; do
		own=$(printf '%s\n' "$line" |
			sed -n 's|.*include "\([^"/]*\)".*|\1|p')
		if [ -z "$own" ] || [ ! -f "$src/$own" ]; then
			printf '%s\n' "$line"
		fi
	done
}

# Prints what the archive leaves undefined but the allowed symbols.
foreign_symbols()
{
	nm -u "$1" | awk 'NF == 2 { print $2 }' | sort -u >"$tmp/undefined"
	nm --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u \
		>"$tmp/defined"
	comm -23 "$tmp/undefined" "$tmp/defined" | grep -Evx "$symbols"
}

# nothing NUMBER NAME: standard input is empty
nothing()
{
	found=$(sed 's/^/# /')
	if [ -z "$found" ]; then
		echo "ok $1 - $2"
	else
		printf '%s\nnot ok %d - %s\n' "$found" "$1" "$2"
	fi
}

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
echo 1..4

foreign_includes "$src"/*.[ch] | nothing 1 "only headers of C11 and its own"
grep -nE '_(GNU|POSIX_C|DEFAULT|XOPEN|BSD)_SOURCE' "$src"/*.[ch] |
	nothing 2 "no feature macros"
foreign_symbols "$lib" | nothing 3 "no symbols but the allowed ones"

# Does it see at all? Two bad lines of three, and calloc, which is used.
printf '#include <%s>\n#include "%s"\n#include <%s>\n' \
	stdio.h config.h stdint.h >"$tmp/bad.c"
if [ "$(foreign_includes "$tmp/bad.c" | wc -l)" -eq 2 ] &&
    grep -qx calloc "$tmp/undefined"; then
	echo "ok 4 - a foreign header and any symbol would be seen"
else
	echo "not ok 4 - a foreign header and any symbol would be seen"
fi
