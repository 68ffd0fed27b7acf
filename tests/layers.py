#!/usr/bin/env python3
"""layers.py RULE - how the host's source files may refer to each other.

Rules, of which lint.sh calls each:

  directions  a file includes only its own layer and those below
  circles     no file of a layer includes, by way of others, itself

A layer is a folder without the layers inside it. Prints FILE:LINE: WHAT for each
offence. Needs the working directory to be the top of a git checkout.
"""

import re
import subprocess
import sys

# Lowest first; each may include itself and what is above it in this list.
LAYERS = [
    'guest/abi',
    'base',
    'vm/image',
    'vm',
    'snapshot',
    'executor',
    'executor/io',
    'executor/protocol',
    'executor/client',
    'executor/server',
    'executor/cli',
]
# Beside them: layer, the highest it may include, who may include it.
BESIDE = {'bench': ('executor/cli', 'executor/cli')}

INCLUDE = re.compile(r'#\s*include\s*(?:"([^"]*/[^"]*)"|<((?:base|bench|'
                     r'executor|guest|snapshot|vm)/[^>]*)>)')


def layer_of(path):
    fits = [layer for layer in [*LAYERS, *BESIDE]
            if path.startswith(layer + '/')]
    return max(fits, key=len, default=None)


def is_open(layer, to):
    if layer == to:
        return True
    if to in BESIDE:
        return BESIDE[to][1] == layer
    highest = BESIDE[layer][0] if layer in BESIDE else layer
    return to in LAYERS and LAYERS.index(to) <= LAYERS.index(highest)


def sources():
    listed = subprocess.run(['git', 'ls-files', '*.[chS]'], check=True,
                            capture_output=True, text=True).stdout
    return [path for path in listed.splitlines()
            if layer_of(path) and '/guest/' not in path]


def includes(path):
    try:
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                match = INCLUDE.match(line)
                if match:
                    yield number, match[1] or match[2]
    except FileNotFoundError:
        return


def directions():
    for path in sources():
        layer = layer_of(path)
        for number, included in includes(path):
            to = layer_of(included)
            if not to or not is_open(layer, to):
                yield (f'{path}:{number}: {layer}/ may not include '
                       f'{included}; call what is below it')


def unit_of(path):
    """x.c, x.h and x_internal.h belong together; so do the architectures."""
    path = re.sub(r'^vm/(image/)?(x86_64|arm64)/', r'vm/\1ARCH/', path)
    return re.sub(r'(_internal)?\.[chS]$', '', path)


def circles():
    graph = {}
    for path in sources():
        unit = unit_of(path)
        for number, included in includes(path):
            if layer_of(included) != layer_of(path):
                continue
            if unit_of(included) != unit:
                graph.setdefault(unit, {}).setdefault(
                    unit_of(included), (path, number))

    def reaches(start, goal):
        seen, left = set(), [start]
        while left:
            unit = left.pop()
            if unit == goal:
                return True
            if unit not in seen:
                seen.add(unit)
                left.extend(graph.get(unit, ()))
        return False

    for unit, others in sorted(graph.items()):
        for other, (path, number) in sorted(others.items()):
            if reaches(other, unit):
                yield (f'{path}:{number}: {other} includes {unit} as well; '
                       'have one of them know the other')


RULES = {'directions': directions, 'circles': circles}

if __name__ == '__main__':
    if len(sys.argv) != 2 or sys.argv[1] not in RULES:
        sys.exit(__doc__)
    for offence in RULES[sys.argv[1]]():
        print(offence)
