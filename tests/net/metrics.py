"""metrics.py - a strict reader of OpenMetrics text (the parts that we use)

    families, samples = metrics.parse(text)

Raises ValueError for what a scraper would refuse: a sample before its TYPE or
of another family, a name twice, families that are mixed, a counter without
_total or with a negative value, a unit that the name does not end with, text
after # EOF or none.
"""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = rf'{NAME}="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? "
                    r"(-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)")
SUFFIX = {"gauge": "", "counter": "_total", "info": "_info"}


def parse(text):
    """({family: type}, {(sample, labels as text): value})"""
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""]:
        raise ValueError("no # EOF at the end")
    families, samples, family, described = {}, {}, None, set()
    for line in lines[:-2]:
        if line.startswith("# "):
            _, keyword, name, rest = line.split(" ", 3)
            if keyword == "TYPE":
                if name in families or rest not in SUFFIX:
                    raise ValueError(line)
                family, families[name] = name, rest
                described = set()
            if name != family or keyword in described or keyword not in (
                    "TYPE", "UNIT", "HELP"):
                raise ValueError(line)
            if keyword == "UNIT" and not name.endswith("_" + rest):
                raise ValueError(line)
            described.add(keyword)
            continue
        match = SAMPLE.fullmatch(line)
        if not match or family is None:
            raise ValueError(f"no sample: {line!r}")
        name, labels, value = match[1], match[2] or "", float(match[3])
        if name != family + SUFFIX[families[family]]:
            raise ValueError(f"not of {family}: {line}")
        names = re.findall(rf"({NAME})=", re.sub(r'"[^"]*"', "", labels))
        if len(set(names)) != len(names) or (name, labels) in samples:
            raise ValueError(f"twice: {line}")
        if families[family] == "counter" and value < 0:
            raise ValueError(f"negative: {line}")
        samples[name, labels] = value
        described = {"TYPE", "UNIT", "HELP"}    # nothing more about it
    return families, samples
