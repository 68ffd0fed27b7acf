#!/usr/bin/env python3
"""vms.py BUILD-DIR io_uring|epoll [PATTERN] - tests how many vms `thaw serve` has: idle
ones are freed, and limits of memory, files and mappings refuse requests, not more.
"""
import collections
import contextlib
import json
import os
import re
import resource
import tempfile

from support import (ECHO, OK, THROTTLED, Frames, Http, Server, Skip, edges,
                     lasts, main, sleep, test, wait_until)


@test('vms that nobody uses are freed, but the warm ones, and come again')
def idle_vms():
    functions = {'echo': ECHO, 'slow': sleep(6, 10),
                 'kept': edges('sleep_ms',
                               concurrency={'max': 6, 'warm': 2})}

    def burst(server):
        clients = [(name, server.http()) for name in ('slow', 'kept') * 4]
        for name, client in clients:
            client.send(Http.request_bytes('POST', f'/function/{name}', b'300'))
        for _, client in clients:
            assert client.response().status == 200
            client.close()

    def idle(server, name):
        return server.function(name)['vms'] == {'idle': count[name], 'busy': 0}

    count = {'slow': 0, 'kept': 2}
    with Server(functions, '--vm-idle-timeout', '500ms') as server:
        for _ in range(2):
            burst(server)
            for name in count:
                wait_until(lambda: idle(server, name), f'{name} keeps its vms')
            made = server.metric('thaw_starts_total{[^\n]*"snapshot"}')
            assert made > 0
            wait_until(lambda: made <= server.metric('thaw_vms_trimmed_total'),
                       'all of them are counted')
        server.check_works()


BURST, SPARE_SHELLS = 64, 16


def burst_of(server, function, milliseconds):
    """So many requests at once, half of each protocol; and all are answered."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.http()) for _ in range(BURST // 2)]
        frames = stack.enter_context(server.frames())
        frames.send(b''.join(Frames.request_bytes(i + 1, function, milliseconds)
                             for i in range(BURST // 2)))
        for client in clients:
            client.send(Http.request_bytes('POST', f'/function/{function}',
                                           milliseconds))
        statuses = {client.response().status for client in clients}
        assert statuses == {200}, statuses
        statuses = {frames.reply().status for _ in range(BURST // 2)}
        assert statuses == {OK}, statuses


def kvm_vms(server):
    """How many of KVM's vms it has: those of functions, and shells."""
    folder, count = f'/proc/{server.process.pid}/fd', 0
    for fd in os.listdir(folder):
        with contextlib.suppress(OSError):  # closed meanwhile
            count += os.readlink(os.path.join(folder, fd)).endswith(':kvm-vm')
    return count


def makers(shells, milliseconds):
    """
    Of two bursts, each when there are so many shells and a warm vm: how many of KVM's vms
    each thread but that of the shells has made, and how many requests got a new vm.
    """
    counter = os.path.join(Server.build, 'tests/server/libcount_vms.so')
    functions = {'slow': edges('sleep_ms', memory='2MiB', max_request='64KiB',
                               max_reply='64KiB', stack='64KiB',
                               concurrency={'max': BURST, 'warm': 1, 'queue': BURST,
                                            'queue_timeout': '30s'})}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'made')
        with Server(functions, '--shells', str(shells), '--vm-idle-timeout', '100ms',
                    env={'LD_PRELOAD': counter, 'COUNT_VMS': path}) as server:
            made, starts = collections.Counter(), 0
            for _ in range(2):
                # the vms of the burst before have been freed
                wait_until(lambda: server.function('slow')['vms'] ==
                           {'idle': 1, 'busy': 0}, 'it has its warm vm')
                wait_until(lambda: kvm_vms(server) >= 1 + shells, 'there are shells')
                before = os.path.getsize(path)
                burst_of(server, 'slow', milliseconds)
                with open(path, encoding='ascii') as file:
                    file.seek(before)
                    made.update(file.read().split())
            starts = server.metric('thaw_starts_total{[^\n]*"snapshot"}')
    print(f'# {shells} shells: made by {dict(made)}, {starts:.0f} requests got new vms')
    del made['thaw-shells']
    return made, starts


@test('a burst makes no vm of KVM while there are shells, and all of it is answered')
def burst_with_shells():
    if Server.is_sanitized():
        raise Skip('the sanitizers are to be loaded before all else')
    for milliseconds in (b'0', b'500'):
        made, _ = makers(BURST + SPARE_SHELLS, milliseconds)
        assert not made, made
    # those that take long have had vms of their own, for which it would make them
    made, starts = makers(0, b'500')
    assert starts > 0 and sum(made.values()) > 0, (made, starts)


@test('beyond --max-memory idle vms are freed, then requests are refused')
def max_memory():
    functions = {'echo': ECHO, 'other': sleep(8, 20),
                 # sleeps until its timeout
                 'slow': edges('sleep_unchecked', timeout='5s',
                               concurrency={'max': 8})}
    with Server(functions, '--max-memory', '72MiB',
                surprises=['invocation (refused|failed)']) as server:
        clients = []
        for i in range(4):
            clients.append(server.http())
            clients[-1].send(Http.request_bytes('POST', '/function/slow',
                                                b'1'))
            lasts(server, i + 1, 0)
        # all of it is in use
        with server.http() as http, server.frames() as frames:
            for name in ('slow', 'other'):
                for response in (http.post(name, b'1'), http.invoke(name, b'1')):
                    assert response.status == 429, response
                    assert b'--max-memory' in response.body, response
                reply = frames.call(name, b'1')
                assert reply.status == THROTTLED, reply
        assert server.metric('thaw_vms_trimmed_total') == 0
        for client in clients:
            assert client.response().status == 504
            client.close()
        wait_until(lambda: server.function('slow')['vms']['idle'] == 4,
                   'its vms are idle')
        # idle ones go for others', one for each
        server.check_works()
        with server.http() as http:
            assert http.post('other', b'1').status == 200
        made = server.metric('thaw_instances')
        assert made == 4, made
        # no start is a vm that was made while its request got another one
        assert server.metric('thaw_vms_trimmed_total{reason="limit"}') >= \
            server.metric('thaw_starts_total{[^\n]*"snapshot"}') - 4
        memory = server.status()['memory']
        assert memory['max'] == 72 << 20, memory
        assert 64 << 20 < memory['bytes'] < memory['max'], memory
        assert memory['bytes'] == server.metric('thaw_memory_bytes')


@test('vms do not take the files that connections need')
def files_of_vms():
    functions = {'echo': ECHO, **{f's{i}': sleep(16, 100) for i in range(8)}}
    with Server(functions, files=512, memory='4MiB',
                max_request='64KiB', max_reply='64KiB',
                surprises=['invocation refused']) as server:
        # 128 connections, 256 for the server itself, and so 64 vms
        clients = [server.frames() for _ in range(2)]
        for number, client in enumerate(clients):
            client.send(b''.join(Frames.request_bytes(
                i + 1, f's{4 * number + i // 16}', b'900') for i in range(64)))
        replies = [client.reply().status for client in clients
                   for _ in range(64)]
        assert OK in replies and set(replies) <= {OK, THROTTLED}, replies
        # those who come late may have vms of others, which have ended
        made = server.metric('thaw_instances')
        assert 50 <= made <= 64, (made, collections.Counter(replies))
        for _ in range(5):
            assert server.admin('GET', '/readyz').status == 200
        # idle ones go for others
        server.check_works()


@test('where a limit leaves no more vms, idle ones go for others, or 429 says why')
def no_mappings():
    if Server.is_sanitized():
        raise Skip('sanitizers have mappings of their own')
    functions = {f's{i}': sleep(16, 100) for i in range(4)}
    with Server({'echo': ECHO, **functions}, '--shells', '0', memory='16MiB',
                surprises=['invocation refused']) as server, \
            server.frames() as frames:
        def start(name, count, milliseconds):
            frames.send(b''.join(Frames.request_bytes(i + 1, name, milliseconds)
                                 for i in range(count)))

        def replies(count):
            return [frames.reply() for _ in range(count)]

        with open(f'/proc/{server.process.pid}/statm', encoding='ascii') as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        limit = size + (60 << 20), resource.RLIM_INFINITY
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, limit)
        # as many vms of each in turn as there are addresses for
        for name in functions:
            start(name, 16, b'20')
            statuses = {reply.status for reply in replies(16)}
            assert OK in statuses and statuses <= {OK, THROTTLED}, statuses
        assert 1 <= server.metric('thaw_instances') <= 4
        # none is idle, and no vm is being made, once requests have been refused
        start('s0', 16, b'2000')
        reply = frames.reply()
        assert reply.status == THROTTLED, reply
        wait_until(lambda: not any(server.function(name)['vms']['idle']
                                   for name in functions),
                   'the vms of others have been given up')
        with server.http() as http:
            response = http.post('s3', b'1')
        assert response.status == 429, response
        detail = json.loads(response.body)['detail']
        assert 'mapping ' in detail and 'vm.max_map_count' in detail, detail
        assert OK in {reply.status for reply in replies(15)}
        server.check_works()


@test('functions that --max-memory has no room for are refused, others served')
def no_room():
    def warm(memory, count):
        return edges('sleep_ms', memory=memory,
                     concurrency={'max': 8, 'warm': count})

    functions = {'fat': warm('64MiB', 0), 'echo': ECHO, 'kept': warm('16MiB', 2),
                 'last': warm('32MiB', 0), 'fits': warm('20MiB', 0)}
    with Server(functions, '--max-memory', '72MiB', ready=False,
                surprises=['function not deployed', 'not reloaded',
                           'invocation refused']) as server:
        line, = server.wait_line('(info |")serving')
        assert 'functions=5 ' in line and 'failed=2 ' in line, line
        server.find_port()
        wait_until(lambda: not server.status()['functions']['pending'],
                   'nothing is booted any more')
        server.check_works()
        for name, words in (('fat', 'needs 128 MiB .* have 0 MiB of the 72 MiB'),
                            ('last', 'needs 64 MiB .* 32 MiB .* of kept: ')):
            row = server.function(name)
            assert row['state'] == 'failed', row
            assert re.search(words, row['reason']), row
            assert '--max-memory' in row['reason'], row
        assert {server.function(name)['state'] for name in ('kept', 'fits', 'echo')} == {'active'}
        server.wait_quiet()
        with server.http() as http:
            assert http.post('fits', b'1').status == 200
            assert http.post('fat', b'1').status >= 500
        # the bound holds for catalogs that come later, too
        del functions['last'], functions['fat']
        server.write_catalog(functions)
        assert server.reload()[0] == 200
        functions['late'] = warm('8MiB', 5)
        server.write_catalog(functions)
        status, changes = server.reload()
        assert status == 200, changes
        assert [one['name'] for one in changes['failed']] == ['late'], changes
        assert '--max-memory' in changes['failed'][0]['reason'], changes
        server.check_works()


@test('a catalog that may want more than --max-memory says so, and is served')
def more_than_there_is():
    with Server({'echo': ECHO, 'large': edges('sleep_ms', memory='64MiB')},
                '--max-memory', '1GiB') as server:
        line = server.wait_line('need more than --max-memory')[0]
        assert 'sum_mib=1152 max_mib=1024 most=large most_mib=1024' in line, line
        server.check_works()


if __name__ == '__main__':
    main()
