#!/usr/bin/env python3
"""Reads the JUnit file that ctest wrote.

Prints "PASSED FAILED SKIPPED", then for each test that failed or was skipped,
with tabs between, which of the two it is, its name, and the line it printed
that says why.
"""

import re
import sys
import xml.etree.ElementTree

# What the tests' scripts, and check, print of a failure; the first counts.
FAILURE = re.compile(r"not ok\b|FAIL\b|.*:[FE]:")


def reason(case, kind):
    lines = (case.findtext("system-out") or "").split("\n")
    spoken = [" ".join(line.split()) for line in lines if line.strip()]
    if kind == "failed":
        spoken += [line for line in spoken if FAILURE.match(line)][:1]
    return spoken[-1] if spoken else "it does not say why"


def outcome(case):
    """Counts as skipped only what a test itself, or its author, skipped."""
    if case.get("status") == "notrun":
        why = case.find("skipped").get("message")
        return "skipped" if why.startswith("SKIP_") else "failed"
    return {"run": "passed", "disabled": "skipped"}.get(case.get("status"), "failed")


def main():
    cases = list(xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"))
    outcomes = [outcome(case) for case in cases]
    print(*(outcomes.count(kind) for kind in ("passed", "failed", "skipped")))
    for case, kind in zip(cases, outcomes):
        if kind != "passed":
            print(kind, case.get("name"), reason(case, kind), sep="\t")


if __name__ == "__main__":
    main()
