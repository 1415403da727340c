"""readme.py - the screens in README.md are those that the programs print

A screen stands in a fenced block behind a line <!-- screen NAME -->. What
differs from run to run and from machine to machine, figures, ages, drops, the
data path, counts for nothing here, nor do line breaks. README_WRITE=1 in the
environment puts the screens of this run into the file.
"""
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "README.md")
BLOCK = r"(<!-- screen {} -->\n```\n)(.*?)(```\n)"


def masked(text):
    for pattern, instead in (
            (r"2001:0:[0-9a-f:]+", "ADDRESS"),
            (r" \(engine \d+\)", ""),
            (r"(Dropped(?:/s)?|Data path) .*", r"\1"),
            (r"Next\s+try\s+(at\s+once|in\s+\d+\s+s)", "Next try"),
            (r"solicitations\b", "solicitation"),
            (r"(\d+ [dhms] )?\d+ [dhms]\b", "TIME"),
            (r"[0-9.]+ ([KMGT]i)?B\b", "SIZE"),
            (r"<?\d[0-9.,]*( [kM])?", "N"),
            (r"\s+", " ")):
        text = re.sub(pattern, instead, text)
    return text.strip()


def differs(name, command, screen):
    """What is wrong with the README's screen of that name; None: nothing."""
    with open(PATH, encoding="utf-8") as f:
        readme = f.read()
    pattern = re.compile(BLOCK.format(name), re.S)
    found = pattern.search(readme)
    if not found:
        return f"there is no screen {name}"
    shown = f"$ {command}\n{screen}"
    if os.environ.get("README_WRITE"):
        with open(PATH, "w", encoding="utf-8") as f:
            f.write(pattern.sub(lambda m: m[1] + shown + m[3], readme))
        return None
    if masked(found[2]) == masked(shown):
        return None
    return f"README:\n{found[2]}\nhere:\n{shown}\n{masked(shown)}"
