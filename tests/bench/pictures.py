#!/usr/bin/python3
"""pictures.py [--write] - two of the README's tables as pictures

Who reaches whom by NAT, and how long a recovery takes, ours beside Miredo. Both
are drawn from the tables that stand there, which were measured by
tests/net/t_interop and tests/faults, so that picture and table cannot differ:
without --write this is a test that prints TAP. Colours are readable on white
and on black, what they say stands in the picture, and text follows the
reader's scheme.
"""
import html
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OURS, MIREDO, NONE = "#2f81d6", "#d9822b", "#8a919b"
STYLE = """text{font:13px system-ui,sans-serif;fill:#24292f}
.small{font-size:11px}.on{fill:#fff}.axis{stroke:#8a919b;stroke-width:1}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.on{fill:#fff}}"""
# Of a row of "Faults": its words here, and where the seconds stand.
SECONDS = r"([\d.]+) s"
RECOVERIES = (
    ("IPv4 address changes", 7, SECONDS, SECONDS),
    ("NAT reboots, under traffic", 8, SECONDS, SECONDS),
    ("NAT reboots, idle", 8, rf"traffic, {SECONDS}", rf", {SECONDS}"),
    ("server away for 30 s: qualified again", 9, rf"qualified {SECONDS}",
     rf"; {SECONDS}"),
    ("name server silent at the start", 10, rf"qualified {SECONDS}",
     rf"^{SECONDS}"),
    ("suspended, another NAT then", 11, rf"^{SECONDS}",
     rf"(?:not within )?{SECONDS}"),
)


def rows(text, head):
    """The cells of the table with that first line."""
    lines = text[text.index(head):].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip().strip("*") for cell in line.split("|")[1:-1]]


def put(x, y, words, **more):
    extra = "".join(f' {k.rstrip("_").replace("_", "-")}="{v}"'
                    for k, v in more.items())
    return f'<text x="{x:g}" y="{y:g}"{extra}>{html.escape(words)}</text>'


def box(x, y, width, height, colour, **more):
    extra = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in more.items())
    return (f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            f'rx="2" fill="{colour}"{extra}/>')


def page(width, height, title, description, body):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{html.escape(title)}</title>",
        f"<desc>{html.escape(description)}</desc>",
        f"<style>{STYLE}</style>", put(10, 20, title, style="font-weight:bold"),
        *body, "</svg>", ""])


# ---- who reaches whom ----

CELL, HIGH, LEFT, TOP_OF = 110, 34, 130, 84


def half(x, y, word):
    good = word == "ok"
    return [box(x, y, CELL / 2 - 3, HIGH - 4, OURS if good else NONE),
            put(x + CELL / 4 - 1.5, y + 20, "direct" if good else "none",
                text_anchor="middle", class_="small on")]


def grid(text):
    head = "| ours \\ Debian |"
    names = [c.strip() for c in text[text.index(head):].split("\n")[0]
             .split("|")[2:-1]]
    body = [put(10, 42, "Client of ours behind the NAT on the left, Debian's "
                "Miredo 1.2.6 behind the one above.", class_="small"),
            put(10, 58, "Left half: ours opens the path; right half: Miredo "
                "does. none: refused after 8 s.", class_="small")]
    for column, name in enumerate(names):
        body.append(put(LEFT + column * CELL + CELL / 2 - 2, TOP_OF - 6, name,
                        text_anchor="middle"))
    y, count = TOP_OF, 0
    for name, *cells in rows(text, head):
        body.append(put(LEFT - 10, y + 20, name, text_anchor="end"))
        for column, cell in enumerate(cells):
            ours, theirs = cell.split(" / ")
            x = LEFT + column * CELL
            body += half(x, y, ours) + half(x + CELL / 2 - 1, y, theirs)
            count += (ours == "ok") + (theirs == "ok")
        y += HIGH
    whole = 2 * len(names) ** 2
    return page(LEFT + CELL * len(names) + 10, y + 6, "Who reaches whom: NAT "
                "by NAT", f"{count} of {whole} ways are direct.", body)


# ---- how long it takes ----

BAR, BARS_AT, SCALE = 15, 270, 3.4


def seconds(pattern, cell):
    return float(re.search(pattern, cell)[1])


def recoveries(text):
    """[(what, seconds, Miredo's, whether it was not back by then)]"""
    table = {int(row[0]): row for row in rows(text, "| | injected | ours |")
             if row[0].isdigit()}
    return [(what, seconds(ours, table[n][2]), seconds(theirs, table[n][3]),
             "not within" in table[n][3])
            for what, n, ours, theirs in RECOVERIES]


def bars(text):
    body, y = [], 60
    for x, colour, name in ((BARS_AT, OURS, "ours"),
                            (BARS_AT + 100, MIREDO, "Miredo 1.2.6")):
        body += [box(x, 32, 12, 12, colour), put(x + 18, 43, name)]
    found = recoveries(text)
    for what, ours, theirs, never in found:
        body.append(put(BARS_AT - 10, y + BAR + 4, what, text_anchor="end"))
        for value, colour, words in (
                (ours, OURS, f"{ours:g} s"),
                (theirs, MIREDO, f"not within {theirs:g} s" if never
                 else f"{theirs:g} s")):
            width = round(max(1, value * SCALE), 1)
            body += [box(BARS_AT, y, width, BAR - 2, colour),
                     put(BARS_AT + width + 6, y + BAR - 4, words,
                         class_="small")]
            y += BAR
        y += 12
    body.append(f'<line class="axis" x1="{BARS_AT}" y1="54" x2="{BARS_AT}" '
                f'y2="{y - 6}"/>')
    return page(780, y + 4, "Seconds until it works again, less is better",
                "; ".join(f"{what}: ours {ours:g} s, Miredo "
                          f"{'not within ' if never else ''}{theirs:g} s"
                          for what, ours, theirs, never in found), body)


PICTURES = {"doc/reach.svg": grid, "doc/recovery.svg": bars}


def main(write):
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        text = f.read()
    for number, (path, draw) in enumerate(PICTURES.items(), 1):
        picture = draw(text)
        full = os.path.join(TOP, path)
        if write:
            with open(full, "w", encoding="utf-8") as f:
                f.write(picture)
            continue
        with open(full, encoding="utf-8") as f:
            same = f.read() == picture
        good = same and f"]({path})" in text
        print(f"{'ok' if good else 'not ok'} {number} - {path} shows what the "
              "README's table says: tests/bench/pictures.py --write")
    if not write:
        print(f"1..{len(PICTURES)}")


main("--write" in sys.argv[1:])
