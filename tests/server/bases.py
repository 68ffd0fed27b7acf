#!/usr/bin/env python3
"""bases.py BUILD-DIR io_uring|epoll [PATTERN] - tests functions that go on from the
guest of another one.
"""
import json
import os
import shutil
import tempfile

from support import ECHO, Server, Threads, main, test, wait_until

# What the table of the guest's init adds up to.
SUM = '33816576'
BASE = {'image': 'layers', 'entry': 'tell', 'memory': '8MiB'}
TENANTS = 40


def tenant(text, **about):
    return {'base': 'base', 'entry': 'tell',
            'init': {'entry': 'learn', 'text': text}, **about}


def tenants(count=TENANTS):
    return {'base': BASE, **{f't{i}': tenant(f'word{i}') for i in range(count)}}


def expect(http, name, body):
    response = http.post(name, b'aaa')
    assert (response.status, response.body.decode()) == (200, body), response


def expect_all(server, count=TENANTS):
    with server.http() as http:
        for i in range(count):
            expect(http, f't{i}', f'1 word{i} {SUM}')
        expect(http, 'base', f'0 {SUM}')


@test('functions with a base have what it had, and keep apart')
def apart():
    with Server(tenants()) as server, Threads() as threads:
        for _ in range(4):
            threads.start(lambda: expect_all(server))
        threads.wait_count('<lambda>', 8)
        threads.stopping.set()
        threads.join()
        row = server.function('t3')
        assert row['catalog']['base'] == 'base', row
        # its text may be a secret
        assert row['catalog']['init'] == {'entry': 'learn'}, row
        snapshot = row['snapshot']
        whole = server.function('base')['snapshot']['bytes']
        assert whole > 512 << 10 and snapshot['bytes'] <= 48 << 10, (row, whole)


@test('an init that fails is the function\'s own failure')
def fails():
    catalog = {**tenants(2), 'bad': tenant('fail'),
               'slow': tenant('loop', init_timeout='300ms')}
    with Server(catalog) as server:
        server.surprises += ['function not deployed function=(bad|slow) ']
        expect_all(server, 2)
        for name, why in (('bad', 'init failed: Test.Failed: as told'),
                          ('slow', 'init failed: Sandbox.Timedout: ')):
            wait_until(lambda: server.function(name)['state'] == 'failed',
                       'it has failed')
            assert server.lines(f'function={name} .*{why}'), server.log()
        server.write_catalog({**catalog, 'bad': tenant('good')})
        assert server.reload()[0] == 200
        wait_until(lambda: server.function('bad')['state'] == 'active',
                   'it is deployed')
        with server.http() as http:
            expect(http, 'bad', f'1 good {SUM}')


@test('reload: what changes the base changes those that go on from it')
def reloads():
    with Server(tenants(2)) as server:
        path = os.path.join(server.work, 'request')

        def write(text):
            with open(path + '.new', 'w', encoding='ascii') as file:
                file.write(text)
            os.rename(path + '.new', path)

        write('one')
        server.write_catalog({**tenants(2), 'f': {
            'base': 'base', 'entry': 'tell',
            'init': {'entry': 'learn', 'file': path}}})
        assert server.reload()[1]['added'] == ['f']
        wait_until(lambda: server.function('f')['state'] == 'active', 'it is there')
        assert server.reload()[1]['changed'] == []
        write('two')
        assert server.reload()[1]['changed'] == ['f']
        with server.http() as http:
            wait_until(lambda: http.post('f', b'').body == f'1 two {SUM}'.encode(),
                       'it has the new request')
        server.write_catalog({**tenants(2), 'base': {**BASE, 'memory': '4MiB'}})
        assert sorted(server.reload()[1]['changed']) == ['base', 't0', 't1']
        wait_until(lambda: not server.status()['functions']['outdated'],
                   'all are replaced')
        expect_all(server, 2)


@test('with a state directory, they are stored, and loaded by their first request')
def stored():
    shm = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    state = tempfile.mkdtemp(prefix='thaw-bases-', dir=shm)
    try:
        os.chmod(state, 0o700)
        with Server(tenants(), '--state-dir', state) as server:
            expect_all(server)
            wait_until(lambda: len([name for name in os.listdir(state)
                                    if name.endswith('.thaw')]) == TENANTS + 1,
                       'all are written')
        with Server(tenants(), '--state-dir', state) as server:
            assert not server.lines('snapshot=booted')
            expect_all(server)
            assert not server.lines('snapshot=booted')
            assert server.function('t5')['snapshot']['stored']
    finally:
        shutil.rmtree(state)


CALLS = {'image': 'calls', 'memory': '4MiB', 'stack': '64KiB', 'timeout': '5s',
         'host': {'allow': ['config', 'print', 'time', 'invoke'], 'config': {'name': 'a'}}}


def calling(name, *args, **more):
    return {'base': 'calls', 'init': {'text': json.dumps({'function': name,
                                                          'args': args})}, **more}


@test('an init calls the host, but no other function')
def calls():
    catalog = {'echo': ECHO, 'calls': CALLS, 'config': calling('setting', 'name'),
               'pass': calling('pass', 'echo', 'hello', 0),
               'wrong': calling('setting', 5)}
    with Server(catalog) as server:
        server.surprises += ['function not deployed function=wrong ']
        for name in ('config', 'pass'):
            wait_until(lambda name=name: server.function(name)['state'] == 'active',
                       'it is deployed')
        wait_until(lambda: server.function('wrong')['state'] == 'failed',
                   'it has failed')
        with server.http() as http:
            body = json.dumps(['echo', 'hello', 0]).encode()
            assert json.loads(http.post('pass/pass', body).body)['result'] == 'hello'


@test('inits that do not end delay no other function, and are stopped')
def turns():
    slow = {f'slow{i}': tenant(('loop', 'sleep')[i % 2], init_timeout='100s')
            for i in range(40)}
    with Server(tenants(1)) as server:
        expect_all(server, 1)
        files = server.fds()
        server.write_catalog({'base': BASE, **slow, **tenants(2)})
        assert server.reload()[0] == 200
        wait_until(lambda: server.function('t1')['state'] == 'active',
                   'the last one is deployed')
        states = {server.function(name)['state'] for name in slow}
        assert states == {'pending'}, states
        server.write_catalog(tenants(2))
        assert server.reload()[0] == 200
        wait_until(lambda: server.fds() < files + 40, 'their vms are gone')
        expect_all(server, 2)


def inits(server, text):
    return len(server.lines(f'init: {text}'))


@test('a base that fails has failed for all that wait for it')
def base_fails():
    bad = {**BASE, 'init_timeout': '3s', 'environment': {'INIT': 'hang'}}
    catalog = {f'f{i}': {**tenant('word'), 'base': 'bad'} for i in range(30)}
    with Server({'bad': bad, **catalog}) as server:
        server.surprises += ['function not deployed function=']
        server.wait_line('function not deployed function=f.*its base bad: '
                         'not ready within its init_timeout', 30)
        # its own boot; and one, or a few more if others began when that had failed
        assert inits(server, 'hang') <= 4, server.log()
        server.write_catalog({'bad': BASE, **catalog})
        assert server.reload()[0] == 200
        for name in catalog:
            wait_until(lambda name=name: server.function(name)['state'] == 'active',
                       'it is deployed')


@test('a base has its own time to boot')
def base_timeout():
    slow = {**BASE, 'environment': {'INIT': 'slow'}, 'init_timeout': '60s'}
    with Server({'base': slow, 't': tenant('word', init_timeout='1s')}) as server:
        with server.http() as http:
            expect(http, 't', f'1 word {SUM}')


@test('a base that cannot be stored is booted once, and so are its functions')
def no_room():
    shm = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    state = tempfile.mkdtemp(prefix='thaw-bases-', dir=shm)
    base = {**BASE, 'environment': {'INIT': 'once'}}
    try:
        with Server({'base': base, 't': tenant('word')}, '--state-dir', state,
                    '--state-max', '100KiB',
                    surprises=['its snapshot is not in the store']) as server:
            with server.http() as http:
                expect(http, 't', f'1 word {SUM}')
            # the base of t, and the function
            assert inits(server, 'once') == 2, server.log()
            assert server.lines('function=t .*its base is not stored')
    finally:
        shutil.rmtree(state)


main()
