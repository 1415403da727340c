"""score.py - what Miredo 1.2.6 does badly, and what became of it

The faults that were known of Miredo before this project began, in their order,
and the case that measures each now.
"""
BOARD = (
    ("the engine is killed", "R2"),
    ("the privileged process is killed", "R3"),
    ("the parent is killed", "R3"),
    ("the interface is deleted", "R15"),
    ("a second instance is started", "E6"),
    ("SIGHUP", "R1"),
    ("the IPv4 address changes", "R10"),
    ("the NAT reboots, with another address", "R12"),
    ("the server is away for a while", "R8"),
    ("the name server is silent at the start", "R9"),
    ("suspended, and the NAT is another one then", "R13"),
    ("mutated packets at each role", "F1"),
    ("server: a flood of forged solicitations", "B1"),
    ("server: solicitations in a victim's name", "B2"),
    ("sends that would wait for ARP", "E9"),
    ("relay: scanned from one native host", "B4"),
    ("server: a host with one IPv4 address", "E10"),
    ("the server's name does not exist", "E11"),
)
CASES = sorted({f"f_{case.lower()}" for _, case in BOARD})


def board(rows):
    """A table in Markdown of those rows, as `run` reads them."""
    by_id = {row["id"]: row for row in rows}
    lines = ["| | injected | ours | Miredo 1.2.6 |", "|---|---|---|---|"]
    for number, (what, case) in enumerate(BOARD, 1):
        cells = [by_id.get(case, {}).get(maker, {}).get("text", "-")
                 for maker in ("ours", "Debian")]
        lines.append(f"| {number} | {what} ({case}) | " +
                     " | ".join(c.replace("|", "/") for c in cells) + " |")
    return "\n".join(lines) + "\n"
