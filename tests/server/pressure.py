#!/usr/bin/env python3
"""pressure.py BUILD-DIR io_uring|epoll|auto [PATTERN] - tests that idle vms of `thaw serve`
give their memory back, and are then freed, under real pressure: others in its cgroup wait for memory, and the kernel tells it so.
"""
import contextlib
import os
import re
import subprocess
import sys
import tempfile

from support import ECHO, Http, Server, Skip, edges, main, sleep, test, wait_until

UNIFIED = '/sys/fs/cgroup', '/sys/fs/cgroup/unified'
OLD = '/sys/fs/cgroup/memory'
LIMIT, FILE, HOGS = 24 << 20, 64 << 20, 3

# It reads a file again and again that is larger than what it may have in memory.
HOG = f'''
import os, sys
*folders, path = sys.argv[1:]
for folder in folders:
    with open(os.path.join(folder, 'cgroup.procs'), 'w') as file:
        file.write('0')
fd = os.open(path, os.O_RDONLY)
while True:
    for i in range({FILE} >> 16):
        os.pread(fd, 1 << 16, i << 16)
'''


def own_path(line):
    """The path of this process's cgroup, by its line in /proc/self/cgroup."""
    with open('/proc/self/cgroup', encoding='ascii') as file:
        found = re.search(rf'^\d+:{line}:/(.*)$', file.read(), re.M)
    return found[1] if found else None


def write(path, text):
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


@contextlib.contextmanager
def made_folder(parent):
    """A cgroup, until its processes have ended."""
    try:
        folder = tempfile.mkdtemp(prefix='thaw-', dir=parent)
    except OSError as error:
        raise Skip(f'no cgroup can be made: {error}') from error
    try:
        yield folder
    finally:
        def is_removed():
            with contextlib.suppress(OSError):
                os.rmdir(folder)
            return not os.path.exists(folder)
        wait_until(is_removed, 'the cgroup is empty')


@contextlib.contextmanager
def cgroups():
    """
    The cgroup of a server, whose pressure is told, and those of who makes it, of which
    one has a limit: the same; or another one, where memory is limited by the first
    version of cgroups.
    """
    roots = [root for root in UNIFIED
             if os.path.exists(os.path.join(root, 'cgroup.controllers'))]
    path = own_path('')
    if not roots or path is None:
        raise Skip('there are no cgroups of the second version')
    parent = os.path.join(roots[0], path)
    with contextlib.suppress(OSError):
        write(os.path.join(parent, 'cgroup.subtree_control'), '+memory')
    with made_folder(parent) as folder:
        if not os.path.exists(os.path.join(folder, 'memory.pressure')):
            raise Skip('the kernel does not tell the pressure of cgroups')
        if os.path.exists(os.path.join(folder, 'memory.high')):
            yield folder, [folder], os.path.join(folder, 'memory.high')
            return
        path = own_path('memory')
        if path is None:
            raise Skip('memory cannot be limited in a cgroup here')
        with made_folder(os.path.join(OLD, path)) as old:
            yield folder, [folder, old], os.path.join(old, 'memory.limit_in_bytes')


@contextlib.contextmanager
def pressure(folders):
    with tempfile.TemporaryDirectory(dir='/var/tmp') as work, \
            contextlib.ExitStack() as stack:
        path = os.path.join(work, 'large')
        with open(path, 'wb') as file:
            file.write(os.urandom(FILE))
            os.fsync(file.fileno())
            # pages that are in memory would not count as those of the cgroup
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        for _ in range(HOGS):
            hog = stack.enter_context(subprocess.Popen(
                [sys.executable, '-c', HOG, *folders, path]))
            stack.callback(hog.kill)
        yield


def idle(server, name):
    return server.function(name)['vms']['idle']


@test('under pressure of memory, idle vms shrink, then are freed, and it serves on')
def freed():
    functions = {'echo': ECHO, 'slow': sleep(8, 20),
                 'kept': edges('sleep_ms', concurrency={'max': 4, 'warm': 2})}
    with cgroups() as (folder, folders, limit), \
            Server(functions, '--vm-idle-timeout', '60m',
                   preexec=lambda: write(os.path.join(folder, 'cgroup.procs'), '0')
                   ) as server:
        clients = [server.http() for _ in range(8)]
        for client in clients:
            client.send(Http.request_bytes('POST', '/function/slow', b'300'))
        for client in clients:
            assert client.response().status == 200
            client.close()
        before = idle(server, 'slow')
        assert before > 0 and idle(server, 'kept') == 2, before
        assert not server.lines('memory is short')
        # the server's own memory counts if it is in that cgroup
        write(limit, str(LIMIT + (server.rss_kib() << 10 if folders == [folder] else 0)))
        with pressure(folders):
            line = server.wait_line('memory is short: idle vms give their memory back')[0]
            assert f'said_by={folder}/memory.pressure' in line, line
            assert server.metric('thaw_vms_shrunk_total') >= before
            wait_until(lambda: not idle(server, 'slow'), 'its vms are freed')
            # one is no longer idle before it is freed, and then counted
            wait_until(lambda: server.metric(
                'thaw_vms_trimmed_total{reason="pressure"}') >= before,
                'they are counted')
            # it goes on, so the warm ones go as well
            wait_until(lambda: not idle(server, 'kept'), 'the warm ones are freed')
            server.check_works()
        # and come again when there is none any more
        wait_until(lambda: idle(server, 'kept') == 2, 'there are warm vms again')
        server.check_works()


if __name__ == '__main__':
    main()
