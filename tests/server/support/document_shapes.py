#!/usr/bin/env python3
"""document_shapes.py DOCUMENT HEADING NUMBER FILE - compares JSON with its
documentation. FILE must have the same members, of the same kinds, as the example: the
NUMBERth block of JSON (from 1) below HEADING.

Values may differ, and null stands for any kind. The names in an object called labels
are the user's. Each item of a list is compared with the first item of the example's.
FILE may be "-".
"""

import json
import re
import sys

USERS = {"labels"}


def example(document, heading, number):
    with open(document, encoding="utf-8") as file:
        text = file.read()
    parts = re.split(rf"(?m)^#+ {re.escape(heading)}$", text)
    if len(parts) != 2:
        sys.exit(f"{document}: no single heading {heading}")
    blocks = re.findall(r"```json\n(.*?)```", parts[1], re.DOTALL)
    return json.loads(blocks[number - 1])


def differences(wanted, got, path):
    if wanted is None or got is None:
        return
    if type(wanted) is not type(got):
        yield f"{path}: {got!r} is not like {wanted!r}"
    elif isinstance(wanted, dict):
        for name in sorted(set(wanted) ^ set(got)):
            which = "server" if name in got else "document"
            yield f"{path}: only the {which} has {name}"
        for name in set(wanted) & set(got):
            if name not in USERS:
                yield from differences(wanted[name], got[name], f"{path}/{name}")
    elif isinstance(wanted, list) and wanted:
        if not isinstance(wanted[0], dict) and len(wanted) > 1:
            if len(wanted) != len(got):
                yield f"{path}: {len(got)} items, not {len(wanted)}"
        for number, item in enumerate(got):
            yield from differences(wanted[0], item, f"{path}/{number}")


def main():
    document, heading, number, name = sys.argv[1:]
    with sys.stdin if name == "-" else open(name, encoding="utf-8") as file:
        got = json.load(file)
    found = list(differences(example(document, heading, int(number)), got, ""))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))


main()
