"""table.py - the rounds as figures: ratios, medians, and what was demanded

A row says from which measurement it comes, how a round gives its figure, and
what it should be. Figures of different contestants are only ever divided
within one round.
"""
import os
import platform
import statistics
import time

LOAD = 0.3          # cores that others may use
WAYS = {"up": "client to host", "down": "host to client"}
NAMES = {"plain": "plain forwarding", "miredo": "Miredo 1.2.6",
         "ours": "ours", "single": "ours, DataPath plain"}


def ratio(what, one, other):
    return lambda r: r[one][what] / r[other][what]


def latency(r):
    return ((r["ours"]["us"] - r["plain"]["us"])
            / (r["miredo"]["us"] - r["plain"]["us"]))


def rows():
    """[(text, measurement, figure of a round, at least, aim)]; a limit below
    its aim is a floor, one above it a ceiling."""
    found = []
    for model, least, aim, floor, high in (("wire", 5, 8, 0.6, 0.85),
                                           ("full", 10, 15, 0.4, 0.65)):
        for way, text in WAYS.items():
            key = f"{model} tcp1 {way}"
            what = f"TCP, one stream, {text}, `{model}`: throughput against"
            found += [(f"{what} Miredo", key,
                       ratio("gbps", "ours", "miredo"), least, aim),
                      (f"{what} plain forwarding", key,
                       ratio("gbps", "ours", "plain"), floor, high)]
    found += [(f"TCP, {text}, `thr`: CPU of the relay's host per GB against "
               "Miredo", f"thr tcp1 {way}", ratio("cpu", "ours", "miredo"),
               1 / 4.5, 1 / 7) for way, text in WAYS.items()]
    found += [
        ("64-byte UDP to one peer, `wire`: delivered, against Miredo",
         "wire udp 64", ratio("kpps", "ours", "miredo"), 2.5, 4.5),
        ("1200-byte UDP with GSO, `wire`: against `DataPath plain`",
         "wire udp 1200", ratio("kpps", "ours", "single"), 2.5, 3),
        ("1200-byte UDP with GSO, `full`: against `DataPath plain`",
         "full udp 1200", ratio("kpps", "ours", "single"), 5, 7),
        ("256 peers, one packet each, `wire`: against `DataPath plain`",
         "wire peers 256", ratio("kpps", "ours", "single"), 1.0, 1.3),
        ("latency added, `wire`: against Miredo", "wire ping", latency,
         1.05, 0.9),
        ("solicitations, 200,000/s, `thr`: answered per CPU second of the "
         "server's host, against Miredo", "thr solicit",
         ratio("per_cpu", "ours", "miredo"), 1.6, 2.5)]
    return found


def more():
    """[(text, measurement, figure)]: reported, not demanded."""
    found = [(f"TCP, four streams, {text}, `wire`: throughput against "
              f"{NAMES[other]}", f"wire tcp4 {way}",
              ratio("gbps", "ours", other))
             for way, text in WAYS.items() for other in ("miredo", "plain")]
    return found + [
        ("64-byte UDP, `wire`: delivered, against plain forwarding",
         "wire udp 64", ratio("kpps", "ours", "plain")),
        ("64-byte UDP at 50,000/s, `thr`: CPU per packet against Miredo",
         "thr udp 50k", ratio("us", "ours", "miredo")),
        ("solicitations, 200,000/s, `thr`: answered, against Miredo",
         "thr solicit", ratio("answered", "ours", "miredo")),
        ("solicitations, 200,000/s, `thr`: answered per CPU second of the "
         "daemon alone, against Miredo", "thr solicit",
         ratio("per_daemon", "ours", "miredo")),
        ("solicitations, 50,000/s, `thr`: answered per CPU second of the "
         "server's host, against Miredo", "thr solicit 50k",
         ratio("per_cpu", "ours", "miredo")),
        *((f"memory that a relay takes for {count:,} peers, all its "
           f"processes, {which}MiB", "relay memory",
           lambda r, c=count, n=name: r[n][f"mib_{c}"])
          for count in (1000, 100000)
          for name, which in (("ours", ""), ("miredo", "Miredo's, "))),
        ("256 peers, one packet each, `wire`: against Miredo",
         "wire peers 256", ratio("kpps", "ours", "miredo")),
        ("1200-byte UDP with GSO, `wire`: against plain forwarding",
         "wire udp 1200", ratio("kpps", "ours", "plain"))]


def noisy(result, key):
    """What is to be said of a row whose rounds were disturbed."""
    load = result["load"].get(key, 0)
    return f" ({load:.1f} cores busy otherwise)" if load > LOAD else ""


def middle(figures):
    """Median and spread (the quartiles, or all of a few) as text."""
    low, high = min(figures), max(figures)
    if len(figures) >= 4:
        low, _, high = statistics.quantiles(figures, n=4)
    return statistics.median(figures), f"{low:.3g} - {high:.3g}"


def judge(value, least, aim):
    better = (lambda a, b: a >= b) if least < aim else (lambda a, b: a <= b)
    if better(value, aim):
        return "aim met"
    return "met" if better(value, least) else "**not met**"


def figures(result, key, figure):
    found = []
    for one in result["rounds"].get(key, []):
        try:
            found.append(figure(one))
        except (KeyError, ZeroDivisionError):
            pass
    return found


def retransmits(result):
    """Ours beyond plain forwarding's of the same round: the demand is twice
    that and 100, the aim is that."""
    for way, text in WAYS.items():
        def over(r, times):
            return r["ours"]["retransmits"] - times * r["plain"]["retransmits"]
        key = f"wire tcp1 {way}"
        beyond = figures(result, key, lambda r: over(r, 2))
        if beyond:
            value, spread = middle(beyond)
            aim = statistics.median(figures(result, key,
                                            lambda r: over(r, 1)))
            yield (f"TCP, one stream, {text}, `wire`: retransmits per GB "
                   "beyond twice plain forwarding's", 100, 0, value, spread,
                   "aim met" if aim <= 0 else judge(value, 100, -1e9))


def table_size(result):
    m = result["micro"]
    yield ("lookup among a million peers, batched, ns", 60, 30,
           m["lookup_batched_ns"], "", judge(m["lookup_batched_ns"], 60, 30))
    yield ("memory per peer in a relay, octets", 96, 64, m["peer_bytes"], "",
           judge(m["peer_bytes"], 96, 64))


def verdicts(result):
    """[(text, at least, aim, median, spread, met?)]"""
    found = []
    for text, key, figure, least, aim in rows():
        seen = figures(result, key, figure)
        if seen:
            value, spread = middle(seen)
            found.append((text, least, aim, value, spread + noisy(result, key),
                          judge(value, least, aim)))
    return [*found, *retransmits(result), *table_size(result)]


def missed(result):
    """Rows that do not reach what is demanded at least."""
    return [what for what, *_, met in verdicts(result)
            if met == "**not met**"]


def limit(least, aim, value):
    return f"{'>=' if least < aim else '<='} {value:.3g}"


def line(key, kept, load):
    """A measurement as it comes in."""
    names = list(dict.fromkeys(n for one in kept for n in one))
    cells = []
    for name in names:
        what = kept[0][name]
        cells.append(name + " " + " ".join(
            f"{k}={statistics.median(one[name][k] for one in kept):.4g}"
            for k in what))
    return f"# {key} (others' load {load:.2f}): " + "; ".join(cells)


def whole(result):
    text = ["", "| on veth, medians of ratios | at least | aim | measured "
            "| spread | |", "|---|---|---|---|---|---|"]
    for what, least, aim, value, spread, met in verdicts(result):
        text.append(f"| {what} | {limit(least, aim, least)} "
                    f"| {limit(least, aim, aim)} | {value:.3g} | {spread} "
                    f"| {met} |")
    text += ["", "| reported | measured | spread |", "|---|---|---|"]
    for what, key, figure in more():
        seen = figures(result, key, figure)
        if seen:
            value, spread = middle(seen)
            text.append(f"| {what} | {value:.3g} | "
                        f"{spread}{noisy(result, key)} |")
    for name, value in result["micro"].items():
        text.append(f"| {name} | {value:.4g} | |")
    if result["gate"] is not None:
        text += ["", f"Correctness gate ({result['checksums']} UDP checksums "
                 "seen by tcpdump): "
                 + ("; ".join(result["gate"]) or "passed")]
    return "\n".join(text)


FRAME = """
Data path, measured by `tools/bench` on veth: Miredo 1.2.6 of Debian, plain IPv6
forwarding and this tree carry the same traffic over the same line of hosts,
each once in a round, in random order. {rounds}; figures are medians of the
ratios within a round, with their quartiles. In `wire` every link carries
frames of MTU size, as physical ones do; in `full` super-packets of 64 KiB cross
the links whole, as between virtual machines of a host; `thr` is `wire` with the
CPU time of each host told apart. {machine}.
"""


def frame(result):
    """The text before the table, for the README."""
    count = max(map(len, result["rounds"].values()), default=0)
    load = max(result["load"].values(), default=0)
    return FRAME.format(rounds=f"{count} rounds", machine=machine()) + (
        f"\n**Others used up to {load:.1f} cores meanwhile: no figures to "
        "go by.**\n" if load > LOAD else "")


def machine():
    """Kernel, kind of machine and date."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for entry in f:
            if entry.startswith("model name"):
                model = entry.partition(":")[2].strip()
                break
    return (f"Linux {platform.release()}, {os.cpu_count()} x {model}, "
            f"{time.strftime('%Y-%m-%d')}")
