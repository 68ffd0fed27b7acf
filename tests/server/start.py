#!/usr/bin/env python3
"""start.py BUILD-DIR io_uring|epoll [PATTERN] - tests functions that boot slowly,
wrongly or never, beside others.
"""
import json
import signal

from support import (FAILED, NOT_READY, OK, Http, Server, main, test,
                     wait_until)

ECHO = {'image': 'echo', 'concurrency': {'max': 8, 'queue': 1000,
                                          'queue_timeout': '30s'}}
HANGS = {'image': 'inits', 'environment': {'INIT': 'never'},
         'init_timeout': '15m'}
FAILS = {'image': 'inits', 'environment': {'INIT': 'fails'}}
# it answers "all"
FINE = {'image': 'inits', 'environment': {'INIT': 'is_big'}}

SURPRISES = ('function not deployed', 'invocation refused')
# SERVER_BOOTS_MAX, SERVER_CHECKS_MAX
BOOTS, CHECKS = 16, 16


def named(count, about):
    return {f'f{i}': about for i in range(count)}


def readyz(server):
    """Its status, and the checks that are not well, by function."""
    response = server.admin('GET', '/readyz')
    body = json.loads(response.body)
    assert body['ready'] == (response.status == 200), body
    return response.status, {c['name'].replace('function ', ''): c
                             for c in body['checks'] if not c['ok']}


def checks(server):
    """readyz(), once it knows what /v1/functions does: the main thread sums up
    a moment after a boot has ended."""
    def summed_up():
        reasons = {row['name']: row['reason'] or 'is being booted' for row in
                   server.admin_json('/v1/functions')['functions']
                   if row['state'] != 'active' or row['update'] == 'failed'}
        status, wrong = readyz(server)
        is_same = (len(wrong) == min(len(reasons), CHECKS) and
                   all(reasons.get(name) == check['reason']
                       for name, check in wrong.items()))
        return is_same and (status, wrong)
    return wait_until(summed_up, '/readyz and /v1/functions agree')


def states(server):
    return server.status()['functions']


def start(functions, *options):
    """A server that serves, whatever its functions do."""
    server = Server(functions, *options, ready=False, surprises=SURPRISES)
    try:
        server.wait_line('info serving')
        server.find_port()
    except BaseException:
        server.show_log()
        server.kill()
        raise
    return server


def is_active(server, name):
    return any((row['name'], row['state']) == (name, 'active') for row in
               server.admin_json('/v1/functions')['functions'])


@test('a function whose init never ends holds nobody but its callers')
def hangs():
    with start({'hangs': HANGS, 'echo': ECHO}) as server:
        wait_until(lambda: is_active(server, 'echo'), 'echo is there')
        server.check_works()
        with server.http() as http:
            response = http.post('hangs', b'')
            assert response.status == 503, response
            assert response.headers['retry-after'], response
            assert b'is being deployed' in response.body, response
            response = http.invoke('hangs', b'{}')
            assert response.status == 409, response
            assert (response.headers['x-amzn-errortype'] ==
                    'SnapStartNotReadyException'), response
        with server.frames() as frames:
            assert frames.call('hangs').status == NOT_READY
        status, wrong = checks(server)
        assert (status, list(wrong)) == (200, ['hangs']), wrong
        assert server.status()['state'] == 'serving'
        assert states(server) == {'total': 2, 'active': 1, 'pending': 1,
                                  'failed': 0, 'outdated': 0}
        assert server.function('hangs')['state'] == 'pending'
        # its init is stopped: the server need not wait for it
        server.end()
        assert server.lines('not deployed.*hangs.*stopped'), server.log()


@test('a server is ready when its critical functions are there')
def critical():
    functions = {'echo': ECHO, 'hangs': HANGS, 'fails': FAILS}
    with start({**functions, 'hangs': {**HANGS, 'critical': True}}) as server:
        wait_until(lambda: states(server)['failed'] == 1, 'one has failed')
        status, wrong = checks(server)
        assert status == 503 and wrong['hangs']['critical'], wrong
        assert 'no table' in wrong['fails']['reason'], wrong
        with server.http() as http:
            assert http.request('GET', '/readyz').status == 503
        # what has failed does not come by waiting
        server.write_catalog({**functions, 'fails': {**FAILS, 'critical': True}})
        status, changes = server.reload()
        assert status == 200, changes
        wait_until(lambda: states(server)['failed'] == 1, 'it has again')
        assert checks(server)[0] == 503
        server.write_catalog({**functions, 'echo': {**ECHO, 'critical': True}})
        assert server.reload()[0] == 200
        wait_until(lambda: checks(server)[0] == 200, 'it is ready')


@test('callers of a function that failed are told of what kind it was')
def kinds():
    kinds = {'no_handler': ({'image': 'edges', 'entry': 'nobody'}, 404,
                            b'not there'),
             'no_image': ({'image': '/bin/sh'}, 502, b'no good'),
             'fails': (FAILS, 400, b'init failed'),
             'slow': ({**HANGS, 'init_timeout': '1ms'}, 408, b'took too long'),
             'old': ({'image': 'inits', 'environment': {'INIT': 'old_abi'}},
                     400, b'contract')}
    functions = {name: about[0] for name, about in kinds.items()}
    with start(functions) as server:
        wait_until(lambda: states(server)['failed'] == len(functions),
                   'all have failed')
        with server.http() as http, server.frames() as frames:
            for name in functions:
                _, status, text = kinds[name]
                response = http.post(name, b'')
                assert response.status == 500, response
                assert text in response.body, response
                assert b'.elf' not in response.body, response
                assert 'retry-after' not in response.headers, response
                response = http.invoke(name, b'{}')
                assert response.status == status, (name, response)
                assert frames.call(name).status == FAILED


@test('a reload takes what is good, and says what is not')
def reload_in_part():
    with start({'echo': ECHO, 'goes': ECHO}) as server:
        # a reload waits for the boots that it begins, not for those before it
        wait_until(lambda: states(server)['active'] == 2, 'both are there')
        server.write_catalog({'echo': ECHO, 'good': ECHO, 'fails': FAILS,
                              'broken': {'image': '/bin/sh'}})
        status, changes = server.reload()
        assert status == 200, changes
        assert sorted(changes['added']) == ['broken', 'fails', 'good'], changes
        assert changes['removed'] == ['goes'], changes
        assert changes['pending'] == [], changes
        failed = {f['name']: f['reason'] for f in changes['failed']}
        assert sorted(failed) == ['broken', 'fails'], changes
        assert 'no table' in failed['fails'], changes
        server.check_works()
        server.check_works('good')
        state = server.status()
        assert state['catalog']['generation'] == 2, state
        assert state['catalog']['last_reload_error'] is None, state
        assert state['functions']['failed'] == 2, state
        text = server.admin('GET', '/metrics').body
        assert b'\nthaw_functions{state="failed"} 2\n' in text, text
        # one that has failed is tried again, others are not
        status, changes = server.reload()
        assert sorted(changes['changed']) == ['broken', 'fails'], changes
        assert changes['unchanged'] == 2, changes
        assert server.function('good')['snapshot']['boots'] == 1
        assert server.function('fails')['snapshot']['boot_failures'] == 2


@test('a reload is answered though an init hangs; the next one is taken, too')
def reload_beside_a_hang():
    with start({'echo': ECHO}) as server:
        server.write_catalog({'echo': ECHO, 'hangs': HANGS, 'good': ECHO})
        status, changes = server.reload()
        assert status == 200, changes
        assert changes['pending'] == ['hangs'], changes
        assert changes['failed'] == [], changes
        server.check_works('good')
        # the same once more: it is not booted twice
        status, changes = server.reload()
        assert (status, changes['unchanged']) == (200, 3), changes
        assert changes['pending'] == ['hangs'], changes
        assert server.function('hangs')['snapshot']['boots'] == 1
        # nobody needs it any more
        server.write_catalog({'echo': ECHO, 'other': ECHO})
        status, changes = server.reload()
        assert status == 200 and changes['pending'] == [], changes
        server.check_works('other')
        server.wait_line('not deployed.*hangs.*stopped')
        # it boots after all
        server.write_catalog({'echo': ECHO, 'hangs': HANGS})
        server.signal(signal.SIGHUP)
        wait_until(lambda: states(server)['pending'] == 1, 'it hangs')
        server.write_catalog({'echo': ECHO, 'hangs': ECHO})
        status, changes = server.reload()
        assert (status, changes['changed']) == (200, ['hangs']), changes
        server.check_works('hangs')


@test('the old version serves until the new one is there, or if it never is')
def outdated():
    with start({'f': ECHO, 'g': ECHO}) as server:
        wait_until(lambda: states(server)['active'] == 2, 'both are there')
        for about, state in ((HANGS, 'pending'), (FAILS, 'failed'),
                             ({'image': '/bin/sh'}, 'failed')):
            server.write_catalog({'f': about, 'g': ECHO})
            status, changes = server.reload()
            assert (status, changes['changed']) == (200, ['f']), changes
            names = [f if state == 'pending' else f['name']
                     for f in changes[state]]
            assert names == ['f'], changes
            server.check_works('f')
            row = server.function('f')
            assert (row['state'], row['update']) == ('active', state), row
            assert bool(row['reason']) == (state == 'failed'), row
            assert row['image'] == server.image('echo'), row
            assert states(server)['outdated'] == 1
            assert checks(server)[0] == 200
            with server.http() as http:
                response = http.request('GET', '/2015-03-31/functions/f')
                about = json.loads(response.body)['Configuration']
                assert about['State'] == 'Active', about
                assert about['LastUpdateStatus'] == (
                    'InProgress' if state == 'pending' else 'Failed'), about
        # back to what serves: nothing is booted
        boots = server.function('f')['snapshot']['boots']
        server.write_catalog({'f': ECHO, 'g': ECHO})
        status, changes = server.reload()
        assert (status, changes['changed']) == (200, ['f']), changes
        row = server.function('f')
        assert (row['update'], row['snapshot']['boots']) == (None, boots), row
        # who has the answer finds the new version
        for i in range(20):
            server.write_catalog({'f': (FINE, ECHO)[i % 2], 'g': ECHO})
            status, changes = server.reload()
            assert (status, changes['failed']) == (200, []), changes
            with server.frames() as frames:
                reply = frames.call('f', b'new')
                assert reply.status == OK, reply
                assert reply.data == (b'all', b'new')[i % 2], reply
        assert states(server)['outdated'] == 0


@test('those that failed do not keep the others from being booted')
def suspects():
    # twice as many as may be booted at once, and all of them hang
    hanging = {**HANGS, 'init_timeout': '1s'}
    many = named(2 * BOOTS, hanging)
    with start(many) as server:
        wait_until(lambda: states(server)['failed'] == 2 * BOOTS,
                   'all have failed')
        status, wrong = checks(server)
        assert (status, len(wrong)) == (200, CHECKS), wrong
        # again, and now they could hang for ever
        server.write_catalog({**named(2 * BOOTS, HANGS), 'echo': ECHO})
        server.signal(signal.SIGHUP)
        wait_until(lambda: is_active(server, 'echo'), 'echo is there')
        server.check_works()
        assert states(server)['pending'] == 2 * BOOTS
        # and all of them have begun: they take turns
        wait_until(lambda: 4 * BOOTS == sum(
            f['snapshot']['boots'] for f in server.admin_json(
                '/v1/functions')['functions'] if f['name'] != 'echo'),
                   'each has been booted twice')


@test('the server ends while inits hang, by a signal or an order')
def drain():
    for order in (False, True):
        with start({'echo': ECHO, **named(2 * BOOTS, HANGS)}) as server:
            wait_until(lambda: server.metric('thaw_functions') > 0, 'it is up')
            if order:
                server.told_to_end = True
                assert server.admin('POST', '/v1/drain').status == 202
            server.end()
            assert not server.lines('drain timeout'), server.log()
    # an event that waits for one is given up
    with start({'echo': ECHO, 'hangs': HANGS}) as server:
        server.surprises.append('event dropped')
        with server.http() as http:
            response = http.invoke('hangs', b'1',
                                   {'X-Amz-Invocation-Type': 'Event'})
            assert response.status == 202, response
        server.end()
        assert not server.lines('drain timeout'), server.log()
    # a reload that waits for one is answered
    with start({'echo': ECHO}) as server:
        wait_until(lambda: is_active(server, 'echo'), 'echo is there')
        server.write_catalog({'echo': ECHO, 'hangs': HANGS})
        with Http(server.admin_path) as http:
            http.send(Http.request_bytes('POST', '/v1/reload'))
            server.wait_line('catalog reloaded')
            server.signal(signal.SIGTERM)
            response = http.response()
            assert response.status == 200, response
        server.end()


@test('boots that wait for memory keep nobody who has some')
def little_memory():
    # there is room for 7 at once, and for fewer than have a turn
    many = named(3 * BOOTS, {**ECHO, 'memory': '32MiB'})
    with start(many, '--max-memory', '256MiB') as server:
        wait_until(lambda: states(server)['active'] == 3 * BOOTS,
                   'all are there')
        assert states(server)['failed'] == 0
    # and those who wait can be stopped, too
    hanging = named(3 * BOOTS, {**HANGS, 'memory': '32MiB'})
    with start(hanging, '--max-memory', '256MiB') as server:
        wait_until(lambda: sum(
            f['snapshot']['boots'] for f in
            server.admin_json('/v1/functions')['functions']) == 3 * BOOTS,
                   'all have begun')
        server.end()
        assert not server.lines('drain timeout'), server.log()


@test('a new function gets the memory of a removed one that is still busy')
def memory_of_removed():
    busy = {'image': 'edges', 'entry': 'sleep_ms', 'memory': '32MiB',
            'timeout': '20s', 'concurrency': {'max': 2, 'warm': 2}}
    with start({'a': busy}, '--max-memory', '100MiB') as server, \
            server.http() as http:
        wait_until(lambda: is_active(server, 'a'), 'it is there')
        http.send(Http.request_bytes('POST', '/function/a', b'900'))
        wait_until(lambda: server.function('a')['vms']['busy'], 'it runs')
        server.write_catalog({'b': busy})
        server.signal(signal.SIGHUP)
        wait_until(lambda: is_active(server, 'b'), 'b is there')
        assert http.response().status == 200


@test('an update has the memory of the warm vms it replaces')
def memory_of_update():
    # both versions have no room side by side; one of them just has
    warm = {**ECHO, 'memory': '32MiB', 'concurrency': {'max': 2, 'warm': 2}}
    with start({'f': warm}, '--max-memory', '104MiB') as server:
        wait_until(lambda: is_active(server, 'f'), 'it is there')
        for version in '123':
            server.write_catalog({'f': {**warm, 'environment': {
                'VERSION': version}}})
            status, changes = server.reload()
            assert (status, changes['failed']) == (200, []), changes
            assert changes['pending'] == [], changes
            server.check_works('f')
            assert states(server)['outdated'] == 0


if __name__ == '__main__':
    main()
