#!/usr/bin/env python3
"""stored.py BUILD-DIR io_uring|epoll [PATTERN] - tests functions whose snapshots are in
the state directory: many of them, each loaded by its first request; and two servers that
write them.
"""
import collections
import contextlib
import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile

from support import (ECHO, FAILED, OK, THROTTLED, Frames, Server, Threads,
                     main, test, wait_until)

MANY, FEW, ASKED = 500, 10, 20
# Of an idle function, at most.
PRIVATE_KIB = 16
# Mappings of malloc()'s arenas and of threads, and files of shells, that come and go;
# not one a function.
SPARE_MAPPINGS, SPARE_FILES = 100, 40
# So many are loaded that one mapping more of each is more than those.
LOADED = 140


def functions(count):
    """They differ in their environment, and so in their snapshots."""
    return {f'f{i}': {'image': 'echo', 'environment': {'NUMBER': str(i)},
                      'concurrency': {'max': 1, 'queue_timeout': '30s'}}
            for i in range(count)}


def layers(count):
    """They go on from the guest of one base."""
    return {'base': {'image': 'layers', 'entry': 'tell', 'memory': '8MiB'},
            **{f'l{i}': {'base': 'base', 'entry': 'tell',
                         'init': {'entry': 'learn', 'text': f'word{i}'},
                         'log_level': 'warn',
                         'concurrency': {'max': 1, 'queue_timeout': '30s'}}
               for i in range(count)}}


@contextlib.contextmanager
def empty_state():
    """
    The path of a state directory that is not there yet. It is on a tmpfs, since to write
    many files takes long on some disks; there, snapshots are copied, not mapped.
    """
    shm = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    folder = tempfile.mkdtemp(prefix='thaw-stored-', dir=shm)
    try:
        yield os.path.join(folder, 'state')
    finally:
        shutil.rmtree(folder)


def snapshot(verb, state, *options):
    """What `thaw snapshot` says."""
    done = subprocess.run([os.path.join(Server.build, 'thaw'), 'snapshot', verb,
                           '--state-dir', state, *options],
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()


@contextlib.contextmanager
def state_of(entries):
    """A state directory with the snapshots of the functions @entries."""
    with empty_state() as state:
        catalog = os.path.join(os.path.dirname(state), 'functions.json')
        with open(catalog, 'w', encoding='ascii') as file:
            json.dump({'defaults': {'memory': '16MiB', 'timeout': '10s'},
                       'functions': [
                           {'name': name, **about, **(
                               {'image': Server.image(about['image'])}
                               if 'image' in about else {})}
                           for name, about in entries.items()]}, file)
        snapshot('create', state, '-c', catalog)
        yield state


def files_of(state):
    return glob.glob(os.path.join(state, '*.thaw'))


def damage(state):
    """One byte of each snapshot's last page."""
    for path in files_of(state):
        with open(path, 'r+b') as file:
            file.seek(-1, os.SEEK_END)
            file.write(b'\xa5')


def start(count, state, *options, **about):
    server = Server(functions(count), '--state-dir', state, *options, **about)
    wait_until(lambda: server.status()['functions']['active'] == count,
               'all functions are active')
    return server


def measure(server):
    """Private KiB, descriptors and mappings, once the threads of the start have ended."""
    tasks = f'/proc/{server.process.pid}/task'
    wait_until(lambda: len(os.listdir(tasks)) < 24, 'the threads have ended')
    with open(f'/proc/{server.process.pid}/smaps_rollup',
              encoding='ascii') as file:
        private = sum(map(int, re.findall(r'^Private_(?:Clean|Dirty): +(\d+)',
                                          file.read(), re.M)))
    with open(f'/proc/{server.process.pid}/maps', encoding='ascii') as file:
        mappings = len(file.readlines())
    return private, server.fds(), mappings


def ask(http, name):
    response = http.post(name, name.encode())
    assert (response.status, response.body) == (200, name.encode()), response


@test('of hundreds of stored functions none is booted, and none takes anything')
def idle():
    with state_of(functions(MANY)) as state:
        with start(FEW, state) as server:
            few = measure(server)
        with start(MANY, state) as server:
            assert not server.lines('snapshot=booted')
            assert len(server.lines('function deployed .*snapshot=stored')) == MANY
            private, fds, mappings = (b - a for a, b in zip(few, measure(server)))
            print(f'# {MANY - FEW} functions: {private} KiB private, {fds} '
                  f'descriptors, {mappings} mappings')
            assert fds <= SPARE_FILES, fds
            assert mappings <= SPARE_MAPPINGS, mappings
            if not Server.is_sanitized():
                assert private <= (MANY - FEW) * PRIVATE_KIB, private
            names = [f'f{i}' for i in range(0, MANY, MANY // ASKED)]
            with server.http() as http:
                for name in names:
                    ask(http, name)
            assert not server.lines('snapshot=booted')
            lines = server.wait_line('function loaded .*snapshot=stored', ASKED)
            assert len(lines) == ASKED, lines
            for name in (names[3], 'f1'):
                snapshot = server.function(name)['snapshot']
                assert snapshot['stored'], snapshot
                assert snapshot['loaded'] == (name in names), snapshot
                assert snapshot['boots'] == (name in names), snapshot
            text = server.admin('GET', '/metrics').body.decode()
            assert 'thaw_function_state{function="f1",state="active"} 1' in text
            assert 'thaw_invocations_total{function="f1",' not in text
            assert 'thaw_invocations_total{function="f0",outcome="ok"} 1' in text


@test('all that come while a function is loaded wait for that one load')
def at_once():
    with state_of(functions(FEW)) as state, start(FEW, state) as server:
        with Threads() as threads:
            def client():
                with server.http() as http:
                    for i in range(FEW):
                        ask(http, f'f{i}')
                return False
            for _ in range(16):
                threads.start(client)
            threads.join()
        lines = server.wait_line('function loaded ', FEW)
        assert len(lines) == FEW, lines
        assert not server.lines('snapshot=booted')


def loaded(server, count):
    return sum(server.function(f'f{i}')['snapshot']['loaded']
               for i in range(count))


@test('beyond their limit, the functions used least recently are unloaded')
def crowded():
    count = 150
    # 300 files: 150 connections at most, and 150 files for vms and functions
    with state_of(functions(count)) as state, \
            start(count, state, files=300) as server:
        with server.http() as http:
            before = server.fds()
            for i in range(count):
                ask(http, f'f{i}')
                ask(http, 'f0')
            assert not server.lines('snapshot=booted')
            assert server.fds() - before < 150, (before, server.fds())
            kept = loaded(server, count)
            assert 10 <= kept <= 32, kept
            # the last one, and the one that was used all the time
            for name in (f'f{count - 1}', 'f0'):
                assert server.function(name)['snapshot']['loaded'], name
            assert server.function('f0')['snapshot']['boots'] == 1
            # one that was unloaded is loaded again, and counts on
            ask(http, 'f1')
        about = server.function('f1')
        assert about['invocations']['ok'] == 2, about['invocations']
        assert about['snapshot']['boots'] == 2, about['snapshot']


def limit(server, kind, value):
    _, most = resource.prlimit(server.process.pid, kind)
    return resource.prlimit(server.process.pid, kind, (value, most))


@test('without descriptors or memory to load it a function is refused, for a while')
def refused():
    with state_of(functions(4)) as state, \
            start(4, state, surprises=['function not loaded',
                                       'invocation refused',
                                       'cannot accept']) as server, \
            server.frames() as frames:
        def call(name):
            return frames.call(name, b'works')
        assert call('f0').status == OK
        with open(f'/proc/{server.process.pid}/statm', encoding='ascii') as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        # all numbers of descriptors below that are taken
        for name, kind, value in (('f1', resource.RLIMIT_NOFILE, 3),
                                  ('f2', resource.RLIMIT_AS, size + (8 << 20))):
            if kind == resource.RLIMIT_AS and Server.is_sanitized():
                continue  # sanitizers have mappings of their own
            old = limit(server, kind, value)
            for _ in range(3):
                reply = call(name)
                assert reply.status == THROTTLED, reply
                assert b'cannot be loaded now' in reply.error_message, reply
                assert call('f0').status == OK
            limit(server, kind, old[0])
            assert server.function(name)['state'] == 'active'
            assert call(name).status == OK
            assert server.function(name)['snapshot']['boots'] == 4
        assert not server.lines('snapshot=booted')


@test('a file that has been damaged since the start: the first request boots')
def damaged():
    with state_of(functions(2)) as state, start(2, state) as server:
        damage(state)
        with server.http() as http:
            ask(http, 'f0')
        line, = server.wait_line('function loaded function=f0 ')
        assert 'snapshot=booted' in line and 'corrupt' in line, line
        snapshot = server.function('f0')['snapshot']
        assert snapshot['loaded'] and not snapshot['stored'], snapshot
        assert snapshot['not_stored'], snapshot


@test('a function that can be neither loaded nor booted has failed')
def gone():
    entries = functions(1)
    with tempfile.TemporaryDirectory() as folder, state_of(entries) as state:
        image = shutil.copy(Server.image('echo'), folder)
        entries['f0']['image'] = image
        with Server(entries, '--state-dir', state,
                    surprises=['function not loaded', 'invocation refused']
                    ) as server:
            server.wait_line('function deployed function=f0 .*snapshot=stored')
            os.unlink(image)
            with server.frames() as frames:
                for _ in range(2):
                    reply = frames.call('f0')
                    assert reply.status == FAILED, reply
            assert len(server.wait_line('function not loaded')) == 1
            assert server.function('f0')['state'] == 'failed'
            # a reload tries again
            shutil.copy(Server.image('echo'), folder)
            status, answer = server.reload()
            assert status == 200 and not answer['failed'], answer
            with server.frames() as frames:
                assert frames.call('f0').status == OK


@test('reloads leave no more functions loaded than their limit allows')
def bound():
    count, asked = 150, 30
    entries = functions(count)
    with state_of(entries) as state, \
            start(count, state, files=300) as server, \
            server.frames() as frames:
        for turn in range(4):
            for i in range(turn * asked, (turn + 1) * asked):
                reply = frames.call(f'f{i}', b'works')
                assert reply.status == OK, reply
            entries = {name: {**about, 'description': str(turn)}
                       for name, about in entries.items()}
            server.write_catalog(entries)
            status, answer = server.reload()
            assert status == 200 and not answer['failed'], answer
            wait_until(lambda: server.status()['functions']['outdated'] == 0,
                       'the new ones serve')
            assert loaded(server, count) <= 37, loaded(server, count)
        assert not server.lines('not deployed|not loaded')


@test('without memory, functions that nobody uses are unloaded')
def short_of_memory():
    count = 180
    with state_of(functions(count)) as state, \
            start(count, state, '--max-memory', '33MiB',
                  surprises=['function not loaded', 'invocation refused']
                  ) as server, server.frames() as frames:
        for i in range(count):
            reply = frames.call(f'f{i}', b'works')
            if reply.status != OK:
                break
        # none is refused where the first are unused for long by then
        assert reply.status in (OK, THROTTLED) and i > 8, (i, reply)
        wait_until(lambda: frames.call(f'f{i}', b'works').status == OK,
                   'there is memory for it')
        # which has no room for all that were asked
        assert loaded(server, count) < i, loaded(server, count)


@test('those who wait for a load when the server drains are answered')
def drain():
    count = 60
    with state_of(functions(count)) as state, start(count, state) as server, \
            contextlib.ExitStack() as stack:
        damage(state)  # each is booted, which takes longer
        clients = [stack.enter_context(server.frames()) for _ in range(count)]
        for i, frames in enumerate(clients):
            frames.send(Frames.request_bytes(i + 1, f'f{i}', b'works'))
        wait_until(lambda: server.lines('function loaded'), 'one is loaded')
        server.signal(signal.SIGTERM)
        statuses = [frames.reply().status for frames in clients]
        assert statuses == [OK] * count, statuses
        server.wait()


@test('a function whose image was replaced is not loaded before a reload')
def replaced():
    entries = functions(1)
    with tempfile.TemporaryDirectory() as folder, state_of(entries) as state:
        image = shutil.copy(Server.image('echo'), folder)
        entries['f0']['image'] = image
        with Server(entries, '--state-dir', state,
                    surprises=['function not loaded', 'invocation refused']
                    ) as server, server.frames() as frames:
            server.wait_line('function deployed function=f0 .*snapshot=stored')
            for half_written in (True, False):
                shutil.copy(Server.image('echo'), image)
                with open(image, 'ab') as file:
                    if half_written:
                        file.truncate(1000)
                    else:
                        file.write(b'+')
                reply = frames.call('f0', b'works')
                assert reply.status == THROTTLED, reply
                assert b'image has changed' in reply.error_message, reply
                assert server.function('f0')['state'] == 'active'
            status, answer = server.reload()
            assert status == 200 and not answer['failed'], answer
            reply = frames.call('f0', b'works')
            assert (reply.status, reply.data) == (OK, b'works'), reply


@test('functions that are not loaded have no vms to be swept')
def swept():
    with state_of(functions(2)) as state, \
            start(2, state, '--vm-idle-timeout', '100ms') as server, \
            server.http() as http:
        ask(http, 'f0')
        for idle in (1, 0):
            wait_until(lambda: server.function('f0')['vms']['idle'] == idle,
                       'its vm is idle, and then freed')
        assert not server.function('f1')['snapshot']['loaded']
        ask(http, 'f1')

@test('a reload loads what takes the place of a function in use, and nothing else')
def reload():
    entries = {**functions(3), 'echo': ECHO}
    with state_of(entries) as state, \
            Server(entries, '--state-dir', state) as server:
        wait_until(lambda: server.status()['functions']['active'] == 4,
                   'all functions are active')
        with server.http() as http:
            ask(http, 'f0')
        for name in ('f0', 'f1'):
            entries[name] = {**entries[name], 'description': 'new'}
        server.write_catalog(entries)
        status, answer = server.reload()
        assert status == 200 and len(answer['changed']) == 2, answer
        loaded = {name: server.function(name)['snapshot']['loaded']
                  for name in entries}
        assert loaded == {'f0': True, 'f1': False, 'f2': False, 'echo': False}, \
            loaded
        server.check_works()


def ask_all(server, entries):
    with server.http() as http:
        for name in entries:
            if name.startswith('f'):
                ask(http, name)
            elif name != 'base':
                response = http.post(name)
                says = f'1 word{name[1:]} '.encode()
                assert response.status == 200 and \
                    response.body.startswith(says), response


def promised(name):
    """A constant of the server's limits."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        '../../executor/server/server_limits.h')
    with open(path, encoding='utf-8') as file:
        return int(re.search(rf'^#define {name} (\d+)$', file.read(), re.M)[1])


def check_costs(entries, mappings, files):
    """Of each function that is loaded and has a vm, at most so many."""
    names = [name for name in entries if name != 'base']
    with state_of(entries) as state, \
            Server(entries, '--state-dir', state) as server:
        def count():
            with open(f'/proc/{server.process.pid}/maps',
                      encoding='ascii') as file:
                return len(file.readlines()), server.fds()
        # the first ones have the threads start that load functions
        ask_all(server, names[:FEW])
        before = count()
        ask_all(server, names[FEW:])
        took = [b - a for a, b in zip(before, count())]
        for name in names[:FEW] + names[-FEW:]:
            about = server.function(name)
            assert about['snapshot']['loaded'], about
            assert about['vms']['idle'] == 1, about
    loads = len(names) - FEW
    print(f'# {loads} functions: {took[0]} mappings, {took[1]} descriptors')
    if not Server.is_sanitized():  # sanitizers have mappings of their own
        assert took[0] <= loads * mappings + SPARE_MAPPINGS, took
    assert took[1] <= loads * files + SPARE_FILES, took


@test('a loaded function takes no more mappings and descriptors than limits count with')
def costs():
    mappings = promised('SERVER_MAPPINGS_PER_FUNCTION')
    # its snapshot's, and those of its vm
    files = 1 + promised('SERVER_FILES_PER_VM')
    with empty_state() as state:
        # the file beside its copy
        files += state.startswith('/dev/shm/')
    check_costs(functions(LOADED), mappings, files)
    # a layer takes more than that: its extents are mappings of its vm and of its
    # snapshot, and it has the file of its base
    check_costs(layers(LOADED), 2 * mappings, files + 1)


def start_two(entries, state):
    """Both answer; then all is written, and both have ended."""
    with Server(entries, '--state-dir', state, ready=False) as one, \
            Server(entries, '--state-dir', state, ready=False) as two:
        for server in (one, two):
            server.wait_ready()
        for server in (one, two):
            ask_all(server, entries)
            assert server.status()['functions']['active'] == len(entries)
        wait_until(lambda: len(files_of(state)) == len(entries),
                   'all are written')


def check_files(state, count):
    """@count good files, and nothing else but what belongs to these."""
    ends = collections.Counter(os.path.splitext(name)[1]
                               for name in os.listdir(state))
    assert ends.pop('.pages', 0) <= count, ends
    assert ends == {'.thaw': count, '.ok': count}, ends
    verified = snapshot('verify', state)
    assert len(verified) == count, verified
    assert all(line.endswith(': good') for line in verified), verified


@test('two servers that start at once on an empty directory leave one good file of each')
def two_at_once():
    entries = {**functions(8), **layers(4)}
    for _ in range(3):  # in one of two rounds, both write the same file
        with empty_state() as state:
            start_two(entries, state)
            check_files(state, len(entries))
            with Server(entries, '--state-dir', state) as third:
                ask_all(third, entries)
                assert not third.lines('snapshot=booted'), third.log()
                lines = third.lines('function deployed .*snapshot=stored')
                assert len(lines) == len(entries), lines


if __name__ == '__main__':
    main()
