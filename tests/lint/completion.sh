#!/bin/sh
# completion.sh - the shells' completions: their syntax, and what they offer
set -u

top=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
bin=$(cd "${top_builddir:?}" && pwd)
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
PATH=$bin:$PATH
LC_ALL=C
export PATH LC_ALL
failed=0
count=0

# report NAME: by the exit status before
report()
{
	if [ $? -eq 0 ]; then word=ok; else word='not ok' failed=1; fi
	count=$((count + 1))
	echo "$word $count - $1"
}

bash -n "$top/conf/completion/miredoctl"
report "bash reads its completion"
zsh -n "$top/conf/completion/_miredoctl"
report "zsh reads its completion"
HOME=$dir fish -n "$top/conf/completion/miredoctl.fish"
report "fish reads its completion"

# offered WORD...: what bash offers for these words, in one line
offered()
{
	# shellcheck disable=SC2016 # the words are that bash's
	bash --norc -c '. "$1"; shift
		COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; _miredoctl
		echo "${COMPREPLY[@]}"' - \
		"$top/conf/completion/miredoctl" miredoctl "$@"
}

# asked WORD...: what zsh would describe for these words, in one line
asked()
{
	# shellcheck disable=SC2016 # the words are that zsh's
	zsh -f -c 'fpath=("$1" $fpath); shift
		autoload -U _miredoctl
		_describe() { print -r -- "${(@P)2}" }
		_files() { print files }
		words=("$@") CURRENT=$#; _miredoctl' - \
		"$top/conf/completion" miredoctl "$@"
}
: >"$dir/teredo0.sock"
commands=$(miredoctl help |
	sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' | paste -sd ' ')

[ "$(offered '')" = "$commands" ] && [ -n "$commands" ]
report "bash offers every command that the help names"
[ "$(offered stat)" = status ] && [ "$(offered status --wat)" = --watch ] &&
	[ "$(offered version --wat)" = '' ]
report "a command's options, and no others"
[ "$(offered status --wait qual)" = qualified ]
report "the states that can be waited for"
[ "$(miredoctl --run-dir "$dir" complete -- -i '' | cut -f1)" = teredo0 ]
report "the instances that have a socket"
[ "$(offered help metr)" = metrics ] && [ "$(offered metrics --write '')" = '' ]
report "commands after help; files are left to the shell"
[ "$(offered announce '')" = 'hold release' ] &&
	[ "$(offered peers --sort '')" = 'rx age' ] &&
	[ "$(offered announce rel)" = release ]
report "operands and values of which there are few"
# another "miredoctl" has peers
mkdir "$dir/bin"
printf '#!/bin/sh\nprintf "2001:db8::5\\trelay\\n2001:db8::7\\trelay\\n"\n' \
	>"$dir/bin/miredoctl"
chmod +x "$dir/bin/miredoctl"
[ "$(PATH=$dir/bin:$PATH offered ping 2001:db8::)" = '5 7' ]
report "bash, to which a colon ends a word, completes addresses"
[ "$(asked sta)" = 'status:how it is, why not better, and what to do' ] &&
	[ "$(asked peers --sort a)" = 'age:one of them' ] &&
	[ "$(asked capture -o '')" = files ]
report "zsh asks, and is told"
[ "$(PATH=$dir/bin:$PATH asked ping '')" = \
	'2001\:db8\:\:5:relay 2001\:db8\:\:7:relay' ]
report "zsh is told addresses with their colons"
words=$(HOME=$dir fish --no-config -c "
	source $top/conf/completion/miredoctl.fish
	complete -C 'miredoctl sta'" 2>&1 | cut -f1)
[ "$words" = status ]
report "fish offers the same"

echo "1..$count"
exit $failed
