#!/bin/sh
# K2: some of the million small worlds of `make check-sim-search SEARCH=-l`
exec "${top_builddir:-.}/tests/sim/search" -l 5000
