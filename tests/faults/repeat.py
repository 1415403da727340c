"""repeat.py - several runs of one case, told as one row

A figure is a text with numbers in it, and the same text with other numbers is
the same figure: of each number the middle one is told, and the least and the
most where they differ, one of which is the worst. "never" is more than any
number of seconds. What was not said in every run says in how many it was.
"""
import collections
import re

NEVER = "never"
# addresses are told as they were at first, all else that varies is a number
TOKEN = re.compile(r"([0-9a-f]*(?::[0-9a-f]*){2,}|\d+(?:\.\d+){3}|"
                   rf"{NEVER}|(?:(?<![\w.])[-+])?(?<![A-Za-z])\d+(?:\.\d+)?"
                   r"(?: s\b)?)")
NUMBER = re.compile(r"([-+]?\d+(?:\.\d+)?)(?: s)?|never")
MISSED = re.compile(r" \[missed(?:: (.*))?\]$")


def size(token):
    return float(NUMBER.fullmatch(token)[1] or "inf")


def middle(tokens):
    """Of one place in the text, from all runs."""
    if len(set(tokens)) == 1 or not all(map(NUMBER.fullmatch, tokens)):
        return tokens[0]
    tokens = sorted(tokens, key=size)
    return f"{tokens[len(tokens) // 2]} ({tokens[0]} to {tokens[-1]})"


def figure(seen, runs):
    """seen: (words, the match of MISSED or None) of the runs that said it."""
    columns = list(zip(*(words for words, _ in seen)))
    text = "".join(middle(column) if at % 2 else column[0]
                   for at, column in enumerate(columns))
    if len(seen) < runs:
        text += f" (in {len(seen)} of {runs})"
    missed = [mark for _, mark in seen if mark]
    if missed:
        why = f": {missed[0][1]}" if missed[0][1] else ""
        text += f" [missed {len(missed)} of {runs}{why}]"
    return text


def told(runs):
    """The row's text; runs: the texts of each."""
    if len(runs) == 1:
        return "; ".join(runs[0])
    figures = {}
    for texts in runs:
        times = collections.Counter()
        for text in texts:
            mark = MISSED.search(text)
            words = TOKEN.split(MISSED.sub("", text))
            same = tuple(words[::2])
            times[same] += 1
            figures.setdefault((same, times[same]), []).append((words, mark))
    return "; ".join(figure(seen, len(runs)) for seen in figures.values())
