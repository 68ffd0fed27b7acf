#!/usr/bin/env python3
"""peers.py [NAME...] - what is measured. Prints the tools that the rows of these names
need, or all rows, a line each, for run.sh to get them ready.

A name chooses the row that has it, and those that go on from it with a dot: "node"
chooses node.wasm and node.context.
"""

import sys
from dataclasses import dataclass

# The requests and replies of the servers.
HELLO = ('{"name":"Ada"}', '{"message":"Hello, Ada!"}')
KIB = ('x' * 1024, 'x' * 1024)
REDIRECT = ('{"uri": "/index.html"}', '{"uri":"/redirected.html"}')
SCRIPT = '{"function":"Eval","args":["\'Hello, \' + \'Ada\' + \'!\'"]}'


@dataclass
class Row:
    name: str
    new: str  # what each request has for itself
    tools: tuple = ()  # of run.sh
    command: tuple = ()  # see measure.py for the words in braces; (): a row of `thaw bench`
    job: tuple = ()  # of a server: request, reply
    path: str = '/'  # where it answers
    times: int = 1  # request and reply are so many of the job's, one behind the other

    @property
    def is_served(self):
        return bool(self.job)


CONTAINER = ('--unshare-all', '--ro-bind', '{spawned}', '/spawned', '--proc', '/proc',
             '--dev', '/dev', '/spawned')
SERVE = ('{thaw}', 'serve', '--catalog', '{served}', '--listen', '127.0.0.1:{port}',
         '--socket', 'none', '--admin', 'none', '--log-level', 'error')

ROWS = [
    Row('floor.run', 'nothing: a guest is entered and left'),
    Row('invoke.warm', 'a vm as init has left it'),
    Row('thaw.javascript', 'the same, with QuickJS in it', ('invoke', 'quickjs'),
        ('{tools}/invoke', '{seconds}', '{javascript}', 'javascript', SCRIPT)),
    Row('wasm2c', 'an instance in the process', ('wasm2c',),
        ('{tools}/wasm2c', '{seconds}')),
    Row('node.wasm', 'an instance in the process', ('node', 'wasm'),
        ('node', '{here}/node_isolates.mjs', '{seconds}', 'wasm', '{tools}/echo.wasm')),
    Row('node.context', 'a JavaScript context', ('node',),
        ('node', '{here}/node_isolates.mjs', '{seconds}', 'context')),
    Row('quickjs', 'a JavaScript runtime', ('quickjs',),
        ('{tools}/quickjs', '{seconds}')),
    Row('process.fork', 'a fork of a process'),
    Row('process.spawn', 'a process'),
    Row('bubblewrap', 'a process in namespaces', ('command', 'bubblewrap'),
        ('{tools}/command', '{seconds}', '{bwrap}', *CONTAINER)),
    Row('crun', 'a container', ('command', 'crun'),
        ('{tools}/crun.sh', '{tools}/command', '{seconds}')),
    Row('http.thaw.1', 'a vm as init has left it', ('wrk',), (*SERVE, '--workers', '1'),
        HELLO, '/function/hello'),
    Row('http.thaw', 'the same; a worker for each CPU', ('wrk',), SERVE, HELLO,
        '/function/hello'),
    Row('http.thaw.redirect', 'the same; the job is redirect', ('wrk',), SERVE, REDIRECT,
        '/function/redirect'),
    Row('http.thaw.1MiB', 'the same as http.thaw.1; the job is to echo 1 MiB', ('wrk',),
        (*SERVE, '--workers', '1'), KIB, '/function/echo', 1024),
    Row('http.node.1MiB', 'nothing; the same job', ('wrk', 'node'),
        ('node', '{here}/node_http.mjs', '{port}', 'echo'), KIB, '/', 1024),
    Row('http.nginx', 'nothing: the reply is a constant', ('wrk', 'nginx'),
        ('{nginx}', '-e', 'stderr', '-c', '{configuration}'), HELLO),
    Row('http.node', 'nothing', ('wrk', 'node'),
        ('node', '{here}/node_http.mjs', '{port}'), HELLO),
    Row('http.node.context', 'a JavaScript context', ('wrk', 'node'),
        ('node', '{here}/node_http.mjs', '{port}', 'context'), HELLO),
    Row('http.workerd', 'nothing: one isolate for all', ('wrk', 'workerd'),
        ('{workerd}', 'serve', '{here}/workerd.capnp', '-shttp=127.0.0.1:{port}'), HELLO),
]

# What the others of its kind are compared to: is_served, name.
COMPARED = {False: 'invoke.warm', True: 'http.thaw.1'}


def choose(names):
    """The rows of these names, with what they are compared to. ValueError: no such."""
    chosen = set()
    for name in names or [row.name for row in ROWS]:
        fits = [row for row in ROWS if (row.name + '.').startswith(name + '.')]
        if not fits:
            raise ValueError(f'there is no row "{name}": '
                             + ', '.join(row.name for row in ROWS))
        for row in fits:
            chosen |= {row.name, COMPARED[row.is_served]}
            if not row.is_served:
                chosen.add('floor.run')
    return [row for row in ROWS if row.name in chosen]


def main():
    try:
        rows = choose(sys.argv[1:])
    except ValueError as error:
        sys.exit(f'{sys.argv[0]}: {error}')
    for tool in sorted({tool for row in rows for tool in row.tools}):
        print(tool)


if __name__ == '__main__':
    main()
