#!/usr/bin/env python3
"""Renews the table of docs/platforms.md from the results of run.py.

Rows are those of features.txt and one for all programs that it does not name,
columns the machines of machines.py; a machine that has not run says so.
"""

import sys

from initramfs import HERE, OUT, TOP
from machines import MACHINES

DOCUMENT = TOP + "/docs/platforms.md"
WORDS = {"pass": "pass", "skip": "skipped", "FAIL": "**fail**", "missing": "not run"}
START, END = "<!-- made by tests/emulated/table.py -->", "<!-- end -->"


def read_features():
    """Yields (name, programs, parts, why there are none)."""
    with open(HERE + "/features.txt", encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, programs, *rest = [x.strip() for x in line.split("|")]
                parts = [x.strip() for x in rest[0].split(";")] if rest else []
                if programs.startswith("none: "):
                    yield name, [], [], programs[len("none: ") :]
                else:
                    yield name, programs.split(), parts, ""


class Results:
    """Of one machine."""

    def __init__(self, name):
        self.kernel = ""
        self.verdicts = {}  # by program: (verdict, why)
        self.skips = {}  # by program and part: why
        try:
            with open(f"{OUT}/{name}.tsv", encoding="utf-8") as f:
                for line in f:
                    self.take(line.rstrip("\n").split("\t"))
        except FileNotFoundError:
            pass

    def take(self, fields):
        if fields[0] == "machine":
            self.kernel = fields[1]
            return
        verdict, program, part, _, why = fields
        if part:
            self.skips[program, part] = why
        else:
            self.verdicts[program] = (verdict, why)


def grouped(reasons):
    """From {what: why}, "what, what: why" for each why."""
    for reason in dict.fromkeys(reasons.values()):
        names = ", ".join(what for what, why in reasons.items() if why == reason)
        yield f"{names}: {reason}" if reason else names


class Table:
    def __init__(self, features):
        self.features = features
        self.own = {(program, part) for _, programs, parts, _ in features for program in programs for part in parts}
        self.notes = []

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)
        return self.notes.index(text) + 1

    def marked(self, word, texts):
        numbers = sorted({self.note(x) for x in texts})
        return word + (f" <sup>{', '.join(map(str, numbers))}</sup>" if numbers else "")

    def cell(self, results, programs, parts):
        """A failure counts most, then what did not run; a skipped part is the feature's, or noted."""
        if not results.verdicts:
            return "not run"
        if "all programs" in results.verdicts:
            verdict, why = results.verdicts["all programs"]
            return self.marked(WORDS[verdict], [why])
        got = {p: results.verdicts.get(p, ("missing", "")) for p in programs}
        by_verdict = {v: {p: why for p, (verdict, why) in got.items() if verdict == v} for v in WORDS}
        without = {part: why for (p, part), why in results.skips.items() if p in got and part in parts}
        for verdict in ("FAIL", "missing"):
            if by_verdict[verdict]:
                return self.marked(WORDS[verdict], grouped(by_verdict[verdict]))
        if without or len(by_verdict["skip"]) == len(got):
            return self.marked("skipped", (without or by_verdict["skip"]).values())
        others = {part: why for (p, part), why in results.skips.items() if p in got and (p, part) not in self.own}
        return self.marked("pass", ["without " + x for x in grouped({**by_verdict["skip"], **others})])

    def lines(self):
        columns = {name: Results(name) for name in MACHINES}
        named = {p for _, programs, _, _ in self.features for p in programs} | {"all programs"}
        others = sorted({p for r in columns.values() for p in r.verdicts} - named)
        yield "| | " + " | ".join(machine.title for machine in MACHINES.values()) + " |"
        yield "|---" * (len(columns) + 1) + "|"
        yield "| kernel | " + " | ".join(r.kernel or "-" for r in columns.values()) + " |"
        for name, programs, parts, why in self.features + [("all other test programs", others, [], "")]:
            if why:
                cells = [self.marked("skipped", [why])] * len(columns)
            else:
                cells = [self.cell(r, programs, parts) for r in columns.values()]
            yield f"| {name} | " + " | ".join(cells) + " |"
        yield ""
        for number, text in enumerate(self.notes, 1):
            yield f"{number}. {text}"


def main():
    table = Table(list(read_features()))
    with open(DOCUMENT, encoding="utf-8") as f:
        before, _, rest = f.read().partition(START + "\n")
    _, end, after = rest.partition(END + "\n")
    if not end:
        sys.exit(f"table.py: no place for the table in {DOCUMENT}")
    text = before + START + "\n\n" + "\n".join(table.lines()) + "\n\n" + END + "\n" + after
    with open(DOCUMENT, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
