#!/usr/bin/env python3
"""state_dir.py BUILD-DIR io_uring|epoll|auto [PATTERN] - tests state directories that are
removed, cannot be written, or are on a file system that is full: `thaw serve` serves all
the same, and the commands say what has happened and what to do. The file systems are
real; mounting them takes the rights to, in a namespace of the test's own.
"""
import contextlib
import fcntl
import glob
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from support import ECHO, ENVIRONMENT, Server, Skip, main, test, wait_until

# Says that this process is in a namespace where it may mount.
MAY_MOUNT = 'THAW_TEST_MAY_MOUNT'
# What the log says, and `thaw snapshot create`, of a snapshot that could not be written.
NOT_STORED = 'its snapshot is not in the store: '
PAGE = 4096


def enter_namespace():
    """Starts this script again where it may mount, if there is such a place."""
    if MAY_MOUNT in os.environ:
        return
    for namespace in (['unshare', '--mount'],
                      ['unshare', '--user', '--map-root-user', '--mount']):
        with contextlib.suppress(OSError), \
                tempfile.TemporaryDirectory() as folder:
            if not subprocess.run([*namespace, 'mount', '-t', 'tmpfs', 'none',
                                   folder], stderr=subprocess.DEVNULL,
                                  check=False).returncode:
                os.environ[MAY_MOUNT] = '1'
                os.execvp(namespace[0], [*namespace, sys.executable, *sys.argv])


def functions(*names, **about):
    return {name: {**ECHO, 'environment': {'NAME': name}, **about}
            for name in names}


@contextlib.contextmanager
def work_folder():
    folder = tempfile.mkdtemp(prefix='thaw-state-')
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def mounted(options='size=16m'):
    """A file system of its own."""
    if MAY_MOUNT not in os.environ:
        raise Skip('no right to mount a file system')
    with work_folder() as folder:
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'mode=0700,{options}',
                        'none', folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(['umount', '--lazy', folder], check=True)


def remount(folder, options):
    subprocess.run(['mount', '-o', f'remount,{options}', folder], check=True)


def fill(folder, spare=0):
    """Takes all of the file system but @spare bytes; returns the file that has them."""
    path = os.path.join(folder, 'ballast')
    with open(path, 'wb', buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    os.truncate(path, os.path.getsize(path) - spare // PAGE * PAGE)
    return path


@contextlib.contextmanager
def in_use(*paths):
    """Marks files as in use, as another server does."""
    with contextlib.ExitStack() as stack:
        for path in paths:
            file = stack.enter_context(open(path, 'rb'))
            fcntl.fcntl(file, fcntl.F_OFD_SETLK,
                        struct.pack('hhqqi', fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
        yield


def thaw(state, verb, *options):
    """Has `thaw snapshot` do that."""
    return subprocess.run([os.path.join(Server.build, 'thaw'), 'snapshot', verb,
                           '--state-dir', state, *options],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, text=True)


def create(state, entries, *names):
    with work_folder() as folder:
        catalog = os.path.join(folder, 'functions.json')
        with open(catalog, 'w', encoding='ascii') as file:
            json.dump({'defaults': {'memory': '16MiB', 'timeout': '10s'},
                       'functions': [{'name': name, **about,
                                      **({'image': Server.image(about['image'])}
                                         if 'image' in about else {})}
                                     for name, about in entries.items()]}, file)
        return thaw(state, 'create', '-c', catalog, *names)


def must(done):
    assert done.returncode == 0, done
    return done


def refused(done, *texts):
    """It has failed for want of something here, and said so in one line."""
    assert done.returncode == ENVIRONMENT, done
    line, = done.stderr.splitlines()
    for text in texts:
        assert text in line, (text, line)


def files(state):
    """The snapshots; there is nothing that was begun and not finished."""
    left = glob.glob(os.path.join(state, 'tmp-*'))
    assert not left, left
    return sorted(glob.glob(os.path.join(state, '*.thaw')))


def stored(state, count):
    """Waits until so many snapshots are there, vouched for: nothing is being written."""
    wait_until(lambda: len(glob.glob(os.path.join(state, '*.ok'))) >= count and
               len(files(state)) >= count, f'{count} snapshots are stored')


def reload(server, entries):
    server.write_catalog(entries)
    status, answer = server.reload()
    assert status == 200 and not answer['failed'], answer
    wait_until(lambda: not server.status()['functions']['outdated'],
               'the new ones serve')


def ask(server, *names):
    for name in names:
        server.check_works(name)


def not_stored(server, name, *texts):
    """The log says so of that function, and why."""
    line = server.wait_line(f'{NOT_STORED}.*function={name}|'
                            f'function={name} .*{NOT_STORED}')[-1]
    for text in texts:
        assert text in line, (text, line)


REMOVED = 'has been removed', 'a restart makes it again'
READ_ONLY = 'Read-only file system', 'make it writable, or use another'
FULL = 'No space left on device', 'make room there, or use another'


@test('a server whose state directory vanishes serves on, and says what it did not store')
def removed():
    entries = functions('a', 'b', 'c')
    with work_folder() as folder:
        state = os.path.join(folder, 'state')
        must(create(state, entries, 'c'))
        with Server(entries, '--state-dir', state,
                    surprises=[NOT_STORED]) as server:
            stored(state, 3)
            shutil.rmtree(state)
            # one that was booted, and one that is to be loaded now
            ask(server, 'a', 'c')
            assert 'snapshot=booted' in server.wait_line(
                'function loaded function=c ')[0], server.log()
            entries['b'] = {**entries['b'], 'environment': {'NAME': 'new'}}
            reload(server, entries)
            ask(server, 'a', 'b', 'c')
            for name in ('b', 'c'):
                not_stored(server, name, f'creating a file in {state} ', *REMOVED)
                assert not server.function(name)['snapshot']['stored'], name
            assert not os.path.exists(state), 'it is made again by a start'
        # which does so, and has them stored
        with Server(entries, '--state-dir', state) as server:
            ask(server, 'a', 'b', 'c')
            stored(state, 3)


@test('functions start from a state directory that is read-only, and others are booted')
def read_only():
    entries = functions('a', 'b')
    with mounted() as folder:
        state = os.path.join(folder, 'state')
        must(create(state, entries))
        before = os.listdir(state)
        remount(folder, 'ro')
        with Server({**entries, **functions('new')}, '--state-dir', state,
                    surprises=[NOT_STORED]) as server:
            # invoked so often that something is learned, which is not written either
            for _ in range(20):
                ask(server, 'a', 'b', 'new')
            for name in entries:
                server.wait_line(f'function loaded function={name} .*stored')
            not_stored(server, 'new', f'creating a file in {state}: ', *READ_ONLY)
        assert os.listdir(state) == before, before
        # and one that is not there, and cannot be made
        with Server(entries, '--state-dir', os.path.join(folder, 'none'),
                    surprises=['no store of snapshots']) as server:
            ask(server, *entries)
            line, = server.lines('no store of snapshots')
            for text in ('none: ', *READ_ONLY):
                assert text in line, (text, line)


@test('a server whose disk is full serves on, keeps what is in use, and stores later')
def full():
    entries = functions('a', 'b')
    with mounted('size=64m') as folder:
        state = os.path.join(folder, 'state')
        must(create(state, entries))
        before = files(state)
        with Server(entries, '--state-dir', state,
                    surprises=[NOT_STORED]) as server:
            ask(server, *entries)
            ballast = fill(folder)
            entries.update(functions('new', 'next'))
            reload(server, entries)
            ask(server, *entries)
            for name in ('new', 'next'):
                not_stored(server, name, f'writing a snapshot to {state}: ', *FULL)
            assert files(state) == before
            os.unlink(ballast)
            entries['new'] = {**entries['new'], 'environment': {'NAME': 'later'}}
            reload(server, entries)
            ask(server, *entries)
            stored(state, 3)
            assert len(server.lines(NOT_STORED)) == 2, server.log()
        assert set(before) < set(files(state)), files(state)
        must(thaw(state, 'verify'))


@test('functions start from a tmpfs that is full, which has no pages for holes')
def full_tmpfs():
    entries = {**functions('a'), 'base': {'image': 'layers', 'entry': 'tell'},
               'word': {'base': 'base', 'entry': 'tell',
                        'init': {'entry': 'learn', 'text': 'word'}}}
    with mounted('size=64m') as folder:
        state = os.path.join(folder, 'state')
        must(create(state, entries))
        fill(folder)
        with Server(entries, '--state-dir', state, surprises=[NOT_STORED]) as server, \
                server.http() as http:
            for _ in range(20):
                ask(server, 'a')
                for name, words in (('base', b'0 '), ('word', b'1 word ')):
                    response = http.post(name, b'')
                    assert response.status == 200, response
                    assert response.body.startswith(words), response
            for name in entries:
                server.wait_line(f'function loaded function={name} .*stored')


@test('on a full disk, the snapshot that was used least recently makes room')
def room():
    entries = functions('a', 'b', 'c')
    with mounted() as folder:
        state = os.path.join(folder, 'state')
        must(create(state, entries, 'a'))
        first, = files(state)
        must(create(state, entries, 'b'))
        fill(folder, spare=os.stat(first).st_blocks * 256)
        done = must(create(state, entries, 'c'))
        assert (done.stdout, done.stderr) == ('c: written\n', ''), done
        assert len(files(state)) == 2 and first not in files(state), files(state)
        must(thaw(state, 'verify'))


@contextlib.contextmanager
def useless(kind, entries):
    """
    A state directory, and what the commands say that cannot write there: it is on a file
    system that is full, has no more files, or is read-only; or it is not there.
    """
    with mounted('nr_inodes=8' if kind == 'files' else 'size=32m') as folder:
        state = os.path.join(folder, 'state')
        if kind == 'none':
            remount(folder, 'ro')
            yield state, (f'the state directory {state}: ', *READ_ONLY)
            return
        must(create(state, entries, 'a'))
        before = files(state)
        if kind == 'full':
            fill(folder)
            yield state, (f' a snapshot to {state}: ', *FULL)
        elif kind == 'files':
            for i in range(8):
                with contextlib.suppress(OSError), \
                        open(os.path.join(folder, f'file{i}'), 'xb'):
                    pass
            yield state, (f'creating a file in {state}: ', *FULL)
        else:
            remount(folder, 'ro')
            yield state, (f'creating a file in {state}: ', *READ_ONLY)
        # what was there is as it was
        assert files(state) == before, files(state)
        must(thaw(state, 'verify'))


KINDS = 'full', 'files', 'read-only', 'none'


@test('`snapshot create` where it cannot write fails, says why, and leaves nothing')
def creating():
    entries = functions('a', 'b')
    for kind in KINDS:
        with useless(kind, entries) as (state, texts), \
                contextlib.ExitStack() as stack:
            # what is there would make room, if it were not in use
            if kind in ('full', 'files'):
                stack.enter_context(in_use(*files(state)))
            done = create(state, entries, 'b')
            refused(done, *texts)
            assert done.stdout == ('' if kind == 'none' else 'b: not written\n'), done
            if kind != 'none':
                assert f'[b] warn: {NOT_STORED}' in done.stderr, done


@test('`snapshot import` where it cannot write fails, says why, and leaves nothing')
def importing():
    entries = functions('a', 'b')
    with work_folder() as folder:
        own, layout = os.path.join(folder, 'own'), os.path.join(folder, 'layout')
        must(create(own, entries, 'b'))
        key, = (os.path.basename(path)[:-len('.thaw')] for path in files(own))
        must(thaw(own, 'export', key, '-o', layout))
        for kind in KINDS:
            with useless(kind, entries) as (state, texts):
                done = thaw(state, 'import', layout)
                refused(done, *texts)
                assert not done.stdout, done


if __name__ == '__main__':
    enter_namespace()
    main()
