#!/usr/bin/python3
"""test_repeat.py - several runs of a case become one row"""
import repeat

CASES = (
    ("one run is told as it is",
     [["1 lost [missed]", "memory +8 KiB"]],
     "1 lost [missed]; memory +8 KiB"),
    ("of numbers that differ the middle one, the least and the most",
     [["2 of 10 lost"], ["11 of 10 lost"], ["3 of 10 lost"]],
     "3 (2 to 11) of 10 lost"),
    ("signs and decimals count",
     [["memory +8 KiB, 0.5%"], ["memory -9 KiB, 0.25%"],
      ["memory +10 KiB, 1.0%"]],
     "memory +8 (-9 to +10) KiB, 0.5 (0.25 to 1.0)%"),
    ("never is more than any time",
     [["back after 2.00 s"], ["back after never"], ["back after 10.00 s"]],
     "back after 10.00 s (2.00 s to never)"),
    ("how often it was missed, and why",
     [["3 lost [missed: 4 of 7]"], ["0 lost"], ["1 lost [missed: 5]"]],
     "1 (0 to 3) lost [missed 2 of 3: 4 of 7]"),
    ("what was not always said tells how often",
     [["a try: 4"], ["none"], ["a try: 5"]],
     "a try: 5 (4 to 5) (in 2 of 3); none (in 1 of 3)"),
    ("two figures that read alike are two",
     [["at 5 k/s", "at 9 k/s"], ["at 6 k/s", "at 9 k/s"],
      ["at 7 k/s", "at 9 k/s"]],
     "at 6 (5 to 7) k/s; at 9 k/s"),
    ("addresses have no middle",
     [["2001:0:a::1 by 192.0.2.1"], ["2001:0:b::1 by 192.0.2.2"]],
     "2001:0:a::1 by 192.0.2.1"),
)

print(f"1..{len(CASES)}")
FAILED = 0
for number, (name, runs, wanted) in enumerate(CASES, 1):
    told = repeat.told(runs)
    print(f"{'ok' if told == wanted else 'not ok'} {number} - {name}")
    if told != wanted:
        FAILED = 1
        print(f"# {told}")
raise SystemExit(FAILED)
