#!/usr/bin/env python3
"""Reads the JUnit file that ctest wrote.

Prints "PASSED FAILED SKIPPED", then for each skipped test its name and, after
a tab, the last line that it printed: the reason.
"""

import sys
import xml.etree.ElementTree


def reason(case):
    lines = (case.findtext("system-out") or "").split("\n")
    spoken = [line.strip() for line in lines if line.strip()]
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
        if kind == "skipped":
            print(case.get("name"), reason(case), sep="\t")


if __name__ == "__main__":
    main()
