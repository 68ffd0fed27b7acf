#!/usr/bin/env python3
"""sdk_manual.py BUILD-DIR - docs/man/thaw-sdk.7 and the headers of the SDK have the same
names: each function, macro, type and constant that a function can use is in the manual,
and the manual has no others."""

import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '../..'))
MANUAL = os.path.join(TOP, 'docs/man/thaw-sdk.7')
SDK = os.path.join(TOP, 'guest/sdk')
ABI = os.path.join(TOP, 'guest/abi')

# Of the contract of host and guest, only these are for functions.
PUBLIC_ABI = {'thaw_host.h', 'thaw_log.h', 'thaw_types.h'}

# What macros are made of, besides names that end in '_'.
INTERNAL = re.compile(
    r'THAW_(EACH_\d+|\w+_ENTRY|H|\w+_H)|'
    r'thaw_(handler|init|function|import)_(record|entry)')


def is_public_file(path):
    folder, name = os.path.split(path)
    if folder == SDK:
        return name.startswith('thaw')
    return folder == ABI and name in PUBLIC_ABI


def declared():
    """The names in the headers, as the preprocessor leaves them."""
    text = subprocess.run(
        ['cc', '-E', '-dD', '-I', SDK, '-I', ABI, '-x', 'c', '-'],
        input='#include <thaw.h>\n', check=True, capture_output=True,
        text=True).stdout
    names, public = set(), False
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            public = is_public_file(os.path.realpath(marker[1]))
        elif not public:
            continue
        elif line.startswith('#'):
            names |= set(re.findall(r'^#define (THAW_[A-Z0-9_]+)\b', line))
        else:
            names |= set(re.findall(r'\b(thaw_\w+)\s*\(', line))
            names |= set(re.findall(r'\b(?:struct|enum) (thaw_\w+)', line))
            names |= set(re.findall(r'^\s*(THAW_[A-Z0-9_]+)\b', line))
    return {name for name in names
            if not name.endswith('_') and not INTERNAL.fullmatch(name)}


def main():
    with open(MANUAL, encoding='utf-8') as file:
        manual = file.read()
    with open(os.path.join(TOP, 'guest/cmake/ThawFunction.cmake'),
              encoding='utf-8') as file:
        cmake = set(re.findall(r'^function\((thaw_add_\w+)', file.read(),
                               re.MULTILINE))
    names = declared()
    has = set(re.findall(r'\b(?:thaw|THAW)_\w+', manual))
    failures = [f'not ok - the manual lacks {name}'
                for name in sorted(names - has)]
    failures += [f'not ok - the headers lack {name}'
                 for name in sorted(has - names - cmake)]
    # the headers were found at all
    if not {'thaw_reply', 'THAW_HANDLER', 'thaw_value_int', 'thaw_level',
            'THAW_LOG_WARN', 'THAW_PARAMETERS_MAX'} <= names:
        failures.append(f'not ok - names are missing: {sorted(names)}')
    print('\n'.join(failures) or f'ok - {len(names)} names')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
