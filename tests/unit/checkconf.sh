#!/bin/sh
# miredo-checkconf: its exact words and its exit status. Prints TAP.
set -u

checkconf=${top_builddir:?}/miredo-checkconf
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
# no name is resolved, and nobody's locale changes what is said
LC_ALL=C
export LC_ALL
cd "$dir" || exit 99
count=0

# expect NAME STATUS COMMAND...: exit status, and stdout and stderr as in
# the files out and err
expect()
{
	name=$1
	status=$2
	shift 2
	count=$((count + 1))
	"$@" >got.out 2>got.err
	got=$?
	if [ $got -eq "$status" ] && cmp -s out got.out && cmp -s err got.err
	then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		echo "# status $got, wanted $status"
		diff -u out got.out | sed 's/^/# /'
		diff -u err got.err | sed 's/^/# /'
	fi
	: >out
	: >err
}

echo 1..24
: >out
: >err

printf 'RelayType cleint\n\nBindPort 99999\nFooBar 12\n' >miredo.conf
cat >err <<'EOF'
./miredo.conf:1:11: error: unknown RelayType "cleint"
    1 | RelayType cleint
      |           ^~~~~~  did you mean "client"?  (client, relay, cone, restricted, server, server-relay)
./miredo.conf:3:10: error: BindPort 99999 is out of range 0-65535
    3 | BindPort 99999
      |          ^~~~~
./miredo.conf:4:1: error: unknown directive "FooBar"
    4 | FooBar 12
      | ^~~~~~
3 errors
EOF
expect 'every error is shown with its place' 1 \
	"$checkconf" -f ./miredo.conf

echo 'BindPort 3545' >miredo.conf
cat >err <<'EOF'
miredo.conf: error: no ServerAddress set. Public Teredo servers are gone; run your own: miredo-setup server, or try: miredo-demo
1 error
EOF
expect 'a client without a server is told what to do' 1 \
	"$checkconf" -c miredo.conf

printf 'ServerAddress teredo.invalid' >miredo.conf
expect 'a name is not resolved; the last line needs no newline' 0 \
	"$checkconf" -f miredo.conf
expect 'options for the daemon are ignored' 0 \
	"$checkconf" -f -p pid -t / -u nobody --user nobody --pidfile x \
	--chroot / --conf miredo.conf

printf 'ServerAddress a.invalid\nInterfaceMTU 1400\n' >miredo.conf
cat >err <<'EOF'
miredo.conf:2:1: warning: InterfaceMTU has no effect in a client
    2 | InterfaceMTU 1400
      | ^~~~~~~~~~~~
EOF
expect 'a warning alone is no failure' 0 "$checkconf" miredo.conf

cp "${top_srcdir:?}/tests/unit/conf/operator-relay.conf" relay.conf
cat >out <<'EOF'
RelayType relay                          # relay.conf:2
InterfaceName miredo0                    # relay.conf:3
RelayScope router                        # default
Prefix 2001::/32                         # default
InterfaceMTU 1280                        # default
BindAddress 10.1.2.3                     # relay.conf:5
BindPort 3544                            # relay.conf:4
MaxPeers 65536                           # default
DataPath auto                            # default
SyslogFacility user                      # relay.conf:6
EOF
expect 'the effective configuration is printed, with its origins' 0 \
	"$checkconf" --print relay.conf

echo 'ServerBindAddress 192.0.2.1' >miredo-server.conf
expect "the server's file is known by its name" 0 \
	"$checkconf" -f ./miredo-server.conf
cp miredo-server.conf other.conf
expect "or by -s" 0 "$checkconf" -s other.conf
cat >err <<'EOF'
other.conf:1:1: warning: ServerBindAddress has no effect in a client
    1 | ServerBindAddress 192.0.2.1
      | ^~~~~~~~~~~~~~~~~
other.conf: error: no ServerAddress set. Public Teredo servers are gone; run your own: miredo-setup server, or try: miredo-demo
1 error
EOF
expect "and is not miredo's otherwise" 1 "$checkconf" other.conf

echo 'missing: error: cannot be read: No such file or directory' >err
expect 'a missing file is an error' 1 "$checkconf" -s missing

sed -n 's/^AC_INIT(\[miredo\], \[\([^]]*\)\].*/miredo-checkconf \1/p' \
	"$top_srcdir/configure.ac" >out
expect '-V prints the version' 0 "$checkconf" -V

"$checkconf" -h >out
expect '-h and --help print the usage' 0 "$checkconf" --help
{ echo 'miredo-checkconf: one file, please'; "$checkconf" -h; } >err
expect 'two files are a usage error' 2 "$checkconf" a b
{ echo "$checkconf: unrecognized option '--frob'"; "$checkconf" -h; } >err
expect 'an unknown option is a usage error' 2 "$checkconf" --frob

# Key files, with the place of the directive that names them.
key=$dir/key
printf 'ServerAddress 192.0.2.1\nKeyFile %s\n' "$key" >miredo.conf
echo "./miredo.conf:2:9: error: KeyFile $key cannot be read:" \
	'No such file or directory' >err
echo '1 error' >>err
expect 'a missing key file is an error' 1 "$checkconf" ./miredo.conf
echo "alice hmac-sha1 00112233445566778899aabbccddeeff" >"$key"
chmod 644 "$key"
cat >err <<EOF
./miredo.conf:2:9: error: KeyFile $key has mode 0644, so that others know the secrets: chmod 600 $key, and change them
1 error
EOF
expect 'a key file that others read is an error' 1 "$checkconf" ./miredo.conf
chmod 600 "$key"
expect 'one that they cannot read is good' 0 "$checkconf" ./miredo.conf
echo "bob hmac-sha1 00112233445566778899aabbccddee" >>"$key"
cat >err <<EOF
$key:2:15: warning: this secret has 15 octets and can be guessed: take at least 16
./miredo.conf:2:9: error: KeyFile $key has more than one key: set ClientIdentifier
1 error
EOF
expect 'a client must know its key' 1 "$checkconf" ./miredo.conf
echo 'ClientIdentifier bob' >>miredo.conf
echo "$key:2:15: warning: this secret has 15 octets and can be guessed:" \
	'take at least 16' >err
expect 'a short secret is a warning' 0 "$checkconf" ./miredo.conf
echo "carol hmac-md5 00112233445566778899aabbccddeeff" >"$key"
echo "$key:1:7: error: the algorithm is hmac-sha1 or hmac-sha256" >err
echo '1 error' >>err
expect 'what is wrong in a key file has its place there' 1 \
	"$checkconf" ./miredo.conf

# The samples: good once their directives are uncommented.
for sample in miredo.conf miredo-server.conf examples/relay.conf; do
	sed 's/^#\([A-Z]\)/\1/' "$top_srcdir/conf/$sample" \
		>"$(basename $sample)"
	expect "the sample $sample has no error" 0 \
		"$checkconf" "$(basename $sample)"
done

count=$((count + 1))
if "$checkconf" -h | grep -q '^usage: miredo-checkconf '; then
	echo "ok $count - the usage is about miredo-checkconf"
else
	echo "not ok $count - the usage is about miredo-checkconf"
fi
