#!/usr/bin/python3
"""metrics.py [--write] - miredo-metrics(7) lists what the code has

The lists of the page are made of libteredo/counters.h, of the families in
src/miredoctl_metrics.c and of the reasons in src/health.c. Without --write:
are they as the page has them? Prints TAP.
"""
import os
import re
import sys
import textwrap

TOP = os.environ.get("top_srcdir") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGE = os.path.join(TOP, "man", "miredo-metrics.7")


def read(*path):
    with open(os.path.join(TOP, *path), encoding="ascii") as f:
        return f.read()


def counters(macro):
    text = read("libteredo", "counters.h")
    body = text.partition(f"#define {macro}(X)")[2].partition("\n\n")[0]
    rows = re.findall(r"X\((\w+)\)(?:\s*/\*(.*?)\*/)?", body)
    # the requirement's ID is nothing for a user
    return [(name, re.sub(r"\s*\([A-Z][-A-Z0-9., ]*\)", "", why).strip())
            for name, why in rows]


def strings(c):
    """The value of adjacent C strings."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', c)).replace('\\"', '"')


def families():
    body = read("src", "miredoctl_metrics.c").partition("} families[] = {")[2]
    rows = re.findall(r'\{"(\w+)", "(\w+)", (?:NULL|"\w+"),\s*((?:"[^"]*"\s*)+)'
                      r',\s*put_\w+\}', body.partition("};")[0])
    return [(f"{name} Pq {kind}", strings(text)) for name, kind, text in rows]


def codes():
    body = read("src", "health.c").partition("reasons[HEALTHS] = {")[2]
    rows = re.findall(r'"([a-z0-9-]+)", HEALTH_(\w+),\s*((?:"[^"]*"\s*)+),',
                      body.partition("\n};")[0])
    return [(f"{code} Pq {severity.lower()}", strings(text))
            for code, severity, text in rows]


def mdoc(rows):
    lines = [".Bl -tag -width Ds -compact"]
    for name, text in rows:
        text = text[:1].upper() + text[1:] + "." * (not text.endswith("."))
        lines += [f".It Li {name}"]
        for sentence in re.sub(r"\. (?=[A-Z])", ".\n", text).split("\n"):
            lines += textwrap.wrap(sentence, 78)
    return "\n".join([*lines, ".El"]) + "\n"


def made(page):
    kernel = [("kernel_udp", "the kernel did not take a datagram"),
              ("kernel_tun", "the kernel did not take a packet")]
    lists = {"metrics": families(), "events": counters("TEREDO_EVENTS"),
             "drops": counters("TEREDO_DROPS") + kernel, "codes": codes()}
    for name, rows in lists.items():
        assert rows and all(text for _, text in rows), (name, rows)
        page = re.sub(rf'(\.\\" BEGIN {name}\n).*?(\.\\" END {name}\n)',
                      lambda m, r=rows: m.group(1) + mdoc(r) + m.group(2),
                      page, flags=re.S)
    return page, lists


def main():
    page = read("man", "miredo-metrics.7")
    wanted, lists = made(page)
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, "w", encoding="ascii") as f:
            f.write(wanted)
        return 0
    enough = (len(lists["drops"]) > 20 and len(lists["events"]) > 20 and
              len(lists["metrics"]) > 10 and len(lists["codes"]) > 10)
    print("1..2")
    print(f"{'ok' if enough else 'not ok'} 1 - the tables of the code are "
          "found")
    print(f"{'ok' if page == wanted else 'not ok'} 2 - miredo-metrics.7 is up "
          "to date (tests/lint/metrics.py --write)")
    return 0 if enough and page == wanted else 1


sys.exit(main())
