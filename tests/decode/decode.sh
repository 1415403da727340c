#!/bin/sh
# The project's second decoder agrees with libteredo; `make check-decode` asks
# tshark, too, and more packets. See tests/decode/differ.py, which prints TAP.

exec "${top_srcdir:-$(dirname "$0")/../..}/tests/decode/differ.py" \
	--no-tshark -n 20000 "${top_builddir:-.}/tests/decode/decode"
