"""chart.py - the comparison as an SVG bar chart, for the README

Bars are ratios to plain kernel forwarding, medians of rounds, so that each
group has its own scale of 1. Colours are readable on white and on black; text
follows the reader's scheme.
"""
import html
import statistics

import table

GROUPS = [("TCP, 1 stream, up, wire", "wire tcp1 up", "gbps"),
          ("TCP, 1 stream, down, wire", "wire tcp1 down", "gbps"),
          ("TCP, 1 stream, up, full", "full tcp1 up", "gbps"),
          ("TCP, 1 stream, down, full", "full tcp1 down", "gbps"),
          ("TCP, 4 streams, down, wire", "wire tcp4 down", "gbps"),
          ("UDP, 64 octets, wire", "wire udp 64", "kpps")]
BARS = [("plain", "#8a919b"), ("ours", "#2f81d6"), ("miredo", "#d9822b")]
WIDTH, LEFT, RIGHT, BAR, GAP = 760, 190, 60, 15, 14
STYLE = """text{font:13px system-ui,sans-serif;fill:#24292f}
.small{font-size:11px}.axis{stroke:#8a919b;stroke-width:1}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}}"""


def ratios(result):
    """[(title, {contestant: median ratio to plain})]"""
    found = []
    for title, key, what in GROUPS:
        kept = result["rounds"].get(key)
        if kept:
            found.append((title, {
                name: statistics.median(one[name][what] / one["plain"][what]
                                        for one in kept)
                for name, _ in BARS}))
    return found


def text(x, y, words, **more):
    extra = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in more.items())
    return f'<text x="{x}" y="{y}"{extra}>{html.escape(words)}</text>'


def group(y, title, found, scale):
    lines = [text(LEFT - 10, y + BAR * 1.5 + 5, title, text_anchor="end")]
    for name, colour in BARS:
        width = max(1, found[name] * scale)
        lines += [f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" '
                  f'height="{BAR - 2}" rx="2" fill="{colour}"/>',
                  text(round(LEFT + width + 6), y + BAR - 4,
                       f"{found[name]:.2f}", **{"class": "small"})]
        y += BAR
    return lines


def draw(result):
    groups = ratios(result)
    top = max((max(f.values()) for _, f in groups), default=1)
    scale = (WIDTH - LEFT - RIGHT) / top
    height = 64 + len(groups) * (3 * BAR + GAP) + 24
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
             f'height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
             "<title>Throughput on veth, plain IPv6 forwarding = 1</title>",
             f"<style>{STYLE}</style>",
             text(10, 20, "Throughput on veth, plain IPv6 forwarding = 1",
                  font_weight="bold")]
    x = LEFT
    for name, colour in BARS:
        lines += [f'<rect x="{x}" y="32" width="12" height="12" rx="2" '
                  f'fill="{colour}"/>', text(x + 18, 43, table.NAMES[name])]
        x += 150
    y = 60
    for title, found in groups:
        lines += group(y, title, found, scale)
        y += 3 * BAR + GAP
    lines += [f'<line class="axis" x1="{LEFT}" y1="54" x2="{LEFT}" '
              f'y2="{y - GAP / 2}"/>',
              text(10, height - 8, table.machine(), **{"class": "small"}),
              "</svg>", ""]
    return "\n".join(lines)
