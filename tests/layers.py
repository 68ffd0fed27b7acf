#!/usr/bin/env python3
"""layers.py RULE - how the host's source files may refer to each other.

Rules, of which lint.sh calls each:

  directions  a file includes only its own layer and those below
  circles     no file of a layer includes, by way of others, itself
  headers     x.h declares what x.c defines, and nothing else
  names       functions of the hot path have names that no other file has, and
              others share theirs with few

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
    'snapshot/store',
    'snapshot',
    'executor/typed',
    'executor/host',
    'executor/linux',
    'executor',
    'executor/io',
    'executor/protocol',
    'executor/client',
    'executor/server',
    'executor/cli',
]
# Beside them: layer, the highest it may include, who may include it.
BESIDE = {'bench': ('executor/client', 'executor/cli')}

# A header that several files implement and that is below all of them.
ALONE = {'executor/libthaw.h'}

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
            if included in ALONE:
                continue
            if not to or not is_open(layer, to):
                yield (f'{path}:{number}: {layer}/ may not include '
                       f'{included}; call what is below it')


def unit_of(path):
    """x.c, x.h and x_internal.h belong together; so do the architectures."""
    if path in ALONE:
        return path
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


# Headers with several sources, each one interface to several backends: where those
# sources are.
BACKENDS = {
    'vm/arch.h': 'vm/ARCH/',
    'executor/linux/signal_frame.h': 'executor/linux/signal_frame_',
    'executor/linux/sites.h': 'executor/linux/sites_',
    'executor/io/io_internal.h': 'executor/io/io_',
    'executor/libthaw.h': 'executor/',
}

# What a request passes on its way to the guest and back.
HOT = re.compile(r'''
    base/(buffer|budget|timers)
    | vm/(ARCH/\w+|control|dirty|exit|poll\w*|run|vm|watchdog)
    | snapshot/(pool|restore)
    | executor/invoke\w*
    | executor/linux/(areas|calls|files|process|space)
    | executor/io/io\w*
    | executor/protocol/(frame|http_(chunks|head|lines|request|response))
    | executor/server/(answer|connection|exchange|frame_\w+|http_connection
      |invocation\w*|respond|route\w*|run_queue|worker)
    | bench/(floor|load_connection|load_worker|measure)
    ''', re.VERBOSE)
SHARED_MAX = 3  # files that elsewhere may have a function of one name

COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)
ATTRIBUTE = r'(?:\s*__attribute__\(\(.*?\)\))*'
DEFINITION = re.compile(r'^(?!typedef|struct \w+ \{|enum|#|\s)[\w*\s]*?\b(\w+)'
                        r'\([^;{}]*\)' + ATTRIBUTE + r'\n\{', re.MULTILINE)
PROTOTYPE = re.compile(r'^(?!typedef|static|#|\s|extern ")[\w*\s]*?\b(\w+)'
                       r'\([^;{}]*\)' + ATTRIBUTE + ';', re.MULTILINE)


def functions(path, pattern):
    """The names, and where they are."""
    try:
        with open(path, encoding='utf-8') as file:
            text = COMMENT.sub(lambda match: '\n' * match[0].count('\n'),
                               file.read())
    except FileNotFoundError:
        return
    for match in pattern.finditer(text):
        yield match[1], text.count('\n', 0, match.start(1)) + 1


def headers():
    paths = sources()
    defined = {}
    for path in paths:
        if path.endswith('.c'):
            for name, _ in functions(path, DEFINITION):
                defined.setdefault(name, set()).add(unit_of(path))
    for path in paths:
        if not path.endswith('.h'):
            continue
        for name, number in functions(path, PROTOTYPE):
            units = defined.get(name, set()) - {unit_of(path)}
            if unit_of(path) in defined.get(name, set()) or not units:
                continue
            unit = min(units)
            if unit.startswith(BACKENDS.get(path, '-')):
                continue
            yield (f'{path}:{number}: {name}() is defined in {unit}.c; '
                   f'declare it in {unit}.h')


def names():
    places = {}
    for path in sources():
        if path.endswith('.c'):
            for name, number in functions(path, DEFINITION):
                places.setdefault(name, {})[unit_of(path)] = (path, number)
    for name, units in sorted(places.items()):
        if len(units) == 1:
            continue
        hot = [unit for unit in units if HOT.fullmatch(unit)]
        if hot:
            path, number = units[hot[0]]
            yield (f'{path}:{number}: {name}() is in {len(units)} files; in '
                   'the hot path a name says where it is')
        elif len(units) > SHARED_MAX:
            path, number = next(iter(units.values()))
            yield (f'{path}:{number}: {name}() is in {len(units)} files; '
                   f'{SHARED_MAX} at most')


RULES = {'directions': directions, 'circles': circles, 'headers': headers,
         'names': names}

if __name__ == '__main__':
    if len(sys.argv) != 2 or sys.argv[1] not in RULES:
        sys.exit(__doc__)
    for offence in RULES[sys.argv[1]]():
        print(offence)
