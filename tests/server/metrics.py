#!/usr/bin/env python3
"""metrics.py BUILD-DIR io_uring|epoll [PATTERN] - tests that every metric, and
every member of the status and of the functions, changes with what it counts. The
test fails if one is in no table of it: add it to MOVES with what changes it, or to
FIXED. And that a function says why it has no gate for polled dispatch.
"""
import contextlib
import json
import os
import pathlib
import re
import select
import struct
import tempfile
import time

from support import (USAGE, Http, Server, Skip, main, refuses, reset, test,
                     wait_until)

QUEUE = {'max': 2, 'warm': 1, 'queue': 2, 'queue_timeout': '30s'}
EVENT = {'X-Amz-Invocation-Type': 'Event'}
FUNCTIONS = {
    'echo': {'image': 'echo', 'memory': '32MiB'},
    'slow': {'image': 'edges', 'entry': 'sleep_ms', 'concurrency': QUEUE},
    'spin': {'image': 'edges', 'entry': 'spin_ms', 'timeout': '200ms',
             'concurrency': {'max': 8, 'queue': 100}},
    'fail': {'image': 'edges', 'entry': 'fail_at_length'},
    'crash': {'image': 'edges', 'entry': 'overflow'},
    'oom': {'image': 'hostile'},
    'heavy': {'image': 'pages', 'entry': 'steps', 'memory': '32MiB',
              'concurrency': {'max': 1}},
    'large': {'image': 'edges', 'entry': 'reply_unchecked'},
    'typed': {'image': 'typed', 'entry': 'add'},
    'lines': {'image': 'edges', 'entry': 'log_lines'},
    'polled': {'image': 'echo', 'dispatch': 'polled',
               'concurrency': {'max': 16, 'queue': 100}},
}
# What a reload makes of it: others, and one that has changed.
CHANGED = {**FUNCTIONS, 'typed': {'image': 'typed_cxx'},
           'echo': {'image': 'edges', 'entry': 'reply', 'memory': '64MiB',
                    'description': 'changed', 'labels': {'a': 'b'},
                    'max_request': '2MiB', 'max_reply': '2MiB',
                    'timeout': '9s', 'isolation': 'cooperative',
                    'dispatch': 'polled',
                    'concurrency': {'max': 7, 'warm': 2, 'queue': 3,
                                    'queue_timeout': '5s'}}}
BROKEN = {**FUNCTIONS, 'broken': {'image': '/bin/sh'}}
# The version of before goes on.
OUTDATED = {**CHANGED, 'echo': {'image': '/bin/sh'}}
CONNECTIONS = 40
# SERVER_METRICS_CONNECTIONS
METRICS_CONNECTIONS = 16


class Watch:
    """What all metrics and members have been since it was made."""

    def __init__(self, server):
        self.server = server
        self.admin = Http(server.admin_path)
        self.seen = {}
        self.look()

    def ask(self, path):
        response = self.admin.request('GET', path)
        assert response.status == 200, response
        return response.body

    def look(self):
        values = {**read_metrics(self.ask('/metrics').decode()),
                  **read_members('status', json.loads(self.ask('/v1/status')))}
        for row in json.loads(self.ask('/v1/functions'))['functions']:
            name = row['name']
            for key, value in read_members('function', row).items():
                values.setdefault(key, {})[name] = value
        for key, value in values.items():
            self.seen.setdefault(key, []).append(repr(value))

    def moved(self, key):
        return len(set(self.seen.get(key, ()))) > 1

    def wait(self, keys, what=lambda: None):
        """Does @what, again if need be, until all @keys have moved."""
        def have_moved():
            what()
            self.look()
            return all(map(self.moved, keys))
        try:
            wait_until(have_moved, 'all have moved')
        finally:
            still = [key for key in keys if not self.moved(key)]
            if still:
                print(f'# not moved: {still}')


def read_metrics(text):
    """The sums of all metrics, by name and labels but for function and le."""
    values = {}
    for name, labels, value in re.findall(
            r'^(\w+)(?:\{([^\n]*)\})? (\S+)$', text, re.M):
        labels = ','.join(label for label in labels.split(',') if label and
                          not re.match('(function|le|version)=', label))
        key = f'{name}{{{labels}}}' if labels else name
        values[key] = values.get(key, 0) + float(value)
    return values


def families(text):
    """The families of /metrics: their types and the names of their labels, but
    for those of a function's own."""
    types = dict(re.findall(r'^# TYPE (\w+) (\w+)$', text, re.M))
    labels = {name: set() for name in types}
    for name, pairs in re.findall(r'^(\w+)\{([^\n]*)\} \S+$', text, re.M):
        base = re.sub('_(bucket|sum|count)$', '', name)
        labels[name if name in types else base].update(
            label for label in re.findall(r'(\w+)="', pairs)
            if label != 'le' and not label.startswith('label_'))
    return {name: (kind, frozenset(labels[name]))
            for name, kind in types.items()}


def documented():
    """The same of the table in docs/metrics.md."""
    rows = re.findall(r'^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*) \|',
                      DOCUMENT.read_text(), re.M)
    assert len({name for name, _, _ in rows}) == len(rows), 'one is there twice'
    return {name: (kind, frozenset(re.findall(r'`(\w+)`', labels)))
            for name, kind, labels in rows}


def read_members(path, value):
    """The members of an object, and of objects in it, as "path.to.it"."""
    if not isinstance(value, dict) or path in (
            'function.labels', 'function.catalog'):
        return {path: value}
    members = {}
    for key, member in value.items():
        members.update(read_members(f'{path}.{key}', member))
    return members


def post(name, body=b'', headers=(), api=Http.post):
    """What invokes @name once, whatever comes of it."""
    def act(server, watch):
        with server.http() as http:
            api(http, name, body, headers)
            watch.look()
    return act


def polled(server, watch):
    """Many at once, more than there are cores for."""
    frames = [server.frames() for _ in range(8)]
    for number in range(1, 21):
        for stream in frames:
            stream.request(number, 'polled', b'x')
    for stream in frames * 20:
        stream.reply()
    for stream in frames:
        stream.close()
    # and a few with a core to themselves
    with server.frames() as stream:
        for number in range(1, 9):
            stream.call('polled', b'x', number)
    watch.look()


def look_at(server, watch, name, body, count):
    """Looks until @count clients that ask at once are answered."""
    clients = [server.http() for _ in range(count)]
    for client in clients:
        client.send(Http.request_bytes('POST', f'/function/{name}', body))
    sockets = [client.socket for client in clients]
    while len(select.select(sockets, [], [], 0.01)[0]) < count:
        watch.look()
    for client in clients:
        client.response()
        client.close()


def offload(server, watch):
    """More runs that take long than a function may have threads for."""
    watch.wait(['status.offload_busy'],
               lambda: look_at(server, watch, 'spin', b'150', 8))


def heavy(server, _):
    """Writes to 12 MiB, twice: the second time they are restored as a job."""
    with server.http() as http:
        for _ in range(2):
            http.post('heavy', struct.pack('<4I', 1, 0, 0, 3072))


def fill(server, watch):
    """All vms of `slow` run, its queue is full, one more is refused; again if some
    have ended before that."""
    watch.wait(['thaw_queue_depth', 'thaw_inflight',
                'thaw_instances{state="busy"}', *outcome('throttled')],
               lambda: look_at(server, watch, 'slow', b'300', 5))


def events(server, watch):
    with server.http() as http:
        for _ in range(3):
            http.invoke('slow', b'300', EVENT)
            http.invoke('fail', b'2', EVENT)
    watch.wait(['status.events.queued', 'status.events.oldest_ms'])
    # only once: each takes its time
    watch.wait(['thaw_async_done_total', 'thaw_async_dropped_total'])


def body(server, watch):
    """A body of which the end is missing."""
    with server.http() as http:
        data = Http.request_bytes('POST', '/function/echo', b'x' * 500000)
        http.send(data[:-1])
        watch.wait(['thaw_buffered_bytes'])


def refuse(server, watch):
    streams = [server.http() for _ in range(CONNECTIONS + 10)]
    watch.wait(['thaw_connections_refused_total'])
    for stream in streams:
        reset(stream.socket)
    wait_until(lambda: server.status()['connections']['open'] <= 2,
               'only the watch and who asks are connected')


def bad(server, watch):
    with server.http() as http:
        http.send(b'no request\r\n\r\n')
        http.response()


def steal(server, watch):
    """Short runs one after the other on one worker, while the other sleeps."""
    with server.frames() as frames:
        for number in range(1, 33):
            frames.request(number, 'spin', b'0')
        for number in range(1, 33):
            frames.reply()


def reload(catalog):
    def act(server, watch):
        server.write_catalog(catalog)
        server.reload()
        watch.look()
    return act


def histogram(name, labels=''):
    return [f'{name}_{part}{labels}' for part in ('bucket', 'sum', 'count')]


def outcome(name):
    return [f'thaw_invocations_total{{outcome="{name}"}}',
            f'function.invocations.{name}']


# What is done, again until they have moved, and what moves then. In this order.
MOVES = [
    (post('echo', b'x'), [
        *outcome('ok'), *histogram('thaw_invocation_duration_seconds'),
        *(key for phase in ('queue', 'run', 'restore') for key in
          histogram('thaw_phase_duration_seconds', f'{{phase="{phase}"}}')),
        'thaw_connections', 'thaw_connections_total', 'thaw_requests_total',
        'thaw_starts_total{start="warm"}', 'thaw_dispatch_total{mode="exit"}',
        'thaw_vm_exits_total', 'thaw_snapshot_restores_total',
        'thaw_restored_bytes_total', 'status.connections.open',
        'status.connections.total', 'status.requests.total',
        'status.uptime_ms', 'function.duration.buckets',
        'function.duration.sum_us', 'function.phases.queue.buckets',
        'function.phases.queue.sum_us', 'function.phases.run.buckets',
        'function.phases.run.sum_us', 'function.phases.restore.buckets',
        'function.phases.restore.sum_us', 'function.restores',
        'function.copied_bytes', 'function.dispatched.exit',
        'process_cpu_seconds_total']),
    (post('fail', b'2'), [
        *outcome('function_error'), 'thaw_function_log_lines_total',
        'function.log.lines']),
    (post('spin', b'500'), [
        *outcome('timeout'), 'thaw_offloaded_total']),
    (offload, [
        'status.offload_busy', 'status.offload_threads', 'thaw_queue_turns_total',
        'function.queue_turns', 'thaw_thread_waits_total',
        'function.thread_waits']),
    (heavy, [
        'thaw_restores_offloaded_total', 'function.restores_offloaded']),
    (post('crash'), outcome('crash')),
    (post('oom', b'exhaust_heap'), outcome('oom')),
    (post('large', b'99999999'), outcome('too_large')),
    (post('typed', b'[1]'), outcome('refused')),
    (fill, [
        *outcome('throttled'), 'thaw_queue_depth', 'thaw_inflight',
        'thaw_starts_total{start="snapshot"}', 'thaw_memory_bytes',
        'status.memory.bytes',
        'thaw_instances{state="busy"}', 'thaw_instances{state="idle"}',
        'function.queued', 'function.inflight', 'function.vms.busy',
        'function.vms.idle']),
    (events, [
        'thaw_async_pending', 'thaw_async_accepted_total',
        'thaw_async_done_total', 'thaw_async_retries_total',
        'thaw_async_dropped_total', 'thaw_async_oldest_age_seconds',
        'status.events.queued', 'status.events.oldest_ms',
        'function.events.pending', 'function.events.accepted',
        'function.events.done', 'function.events.retried',
        'function.events.dropped']),
    (body, ['thaw_buffered_bytes', 'status.buffered.bytes']),
    (refuse, ['thaw_connections_refused_total', 'status.connections.refused',
              'process_open_fds']),
    (bad, ['thaw_bad_requests_total', 'status.requests.bad']),
    (steal, ['thaw_stolen_total']),
    (post('lines', b'900'), [
        'thaw_log_dropped_total', 'status.log.dropped',
        'thaw_function_log_lines_dropped_total', 'function.log.dropped']),
    (reload(CHANGED), [
        'thaw_config_reloads_total', 'thaw_snapshot_builds_total',
        'thaw_config_last_reload_success_timestamp_seconds',
        'thaw_instances_max', 'thaw_queue_limit', 'thaw_snapshot_bytes',
        'status.catalog.generation', 'status.catalog.sha256',
        'status.catalog.reloads', 'function.snapshot.boots',
        'function.snapshot.bytes', 'function.boot_us', 'function.description',
        'function.labels', 'function.catalog', 'function.image', 'function.image_bytes',
        'function.image_sha256', 'function.deployed_at', 'function.entry', 'function.functions',
        'function.memory_bytes', 'function.timeout_ms', 'function.dispatch',
        'function.isolation', 'function.max_request_bytes',
        'function.max_reply_bytes', 'function.concurrency.max',
        'function.concurrency.warm', 'function.concurrency.queue',
        'function.concurrency.queue_timeout_ms',
        'process_resident_memory_bytes', 'thaw_function_info']),
    (reload(OUTDATED), [
        'function.update', 'status.functions.outdated',
        'thaw_functions{state="outdated"}',
        'thaw_function_state{state="outdated"}']),
    (lambda *_: time.sleep(0.1), ['thaw_vms_trimmed_total{reason="idle"}',
                                  'thaw_vms_shrunk_total']),
    (reload(b'{'), [
        'thaw_config_reload_failures_total',
        'thaw_config_last_reload_successful', 'status.catalog.reload_failures',
        'status.catalog.last_reload_error']),
]

# Where there is a gate to wait at.
POLLED_MOVES = [
    (polled, ['thaw_dispatch_total{mode="polled"}', 'function.dispatched.polled',
              'thaw_dispatch_no_core_total', 'function.dispatched.no_core',
              'function.polled']),
]

# What a server that starts well, and does not end, does not change.
FIXED = {
    'thaw_build_info', 'thaw_connections_max', 'thaw_buffered_max_bytes',
    'process_start_time_seconds', 'process_max_fds', 'status.version', 'status.pid',
    'status.state', 'status.start_time', 'status.io', 'status.workers',
    'status.catalog.path', 'status.connections.max', 'status.buffered.max',
    'status.events.max', 'status.functions.total', 'status.functions.active',
    'function.name', 'function.kind', 'function.gate', 'function.no_gate',
    'function.imports', 'function.snapshot.loaded', 'function.snapshot.stored',
    'function.snapshot.not_stored',
    'status.memory.max', 'status.memory.pressure', 'thaw_memory_max_bytes',
    'thaw_function_info{label_a="b"}',
}

# What moves when vms of others are freed for one more.
BOUND = {'thaw_vms_trimmed_total{reason="limit"}'}

# And when the kernel says that memory is short, which is not to be had here:
# test_memory.c counts those.
PRESSURE = {'thaw_vms_trimmed_total{reason="pressure"}'}

# What moves when there are no files for more connections.
NO_FILES = {'thaw_accept_errors_total'}

# And what moves while a server starts of which a function cannot be deployed.
STARTS = {
    'thaw_snapshot_build_failures_total', 'function.snapshot.boot_failures',
    'status.functions.failed', 'status.functions.pending', 'function.state',
    'function.reason', *outcome('failed'),
    *(f'{name}{{state="{state}"}}' for state in ('active', 'failed', 'pending')
      for name in ('thaw_functions', 'thaw_function_state')),
}

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / 'docs/metrics.md'


def take_two_cpus():
    """So that there is one core to poll on, and more vms than that."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


@test('every metric and member moves by what it counts')
def moves():
    with Server(FUNCTIONS, '--max-connections', str(CONNECTIONS),
                '--event-retries', '1', '--vm-idle-timeout', '1s',
                surprises=['.*'], preexec=take_two_cpus) as server:
        watch = Watch(server)
        row = server.function('polled')
        table = MOVES + (POLLED_MOVES if row['gate'] != 'none' else [])
        if row['gate'] == 'none':
            # what the machine has not, not what the server could not do
            assert 'busy' not in row['no_gate'], row
            print(f"# skip: polled dispatch: {row['no_gate']}")
        for act, keys in table:
            watch.wait(keys, lambda act=act: act(server, watch))
        known = {key for _, keys in MOVES + POLLED_MOVES for key in keys}
        elsewhere = FIXED | NO_FILES | STARTS | BOUND | PRESSURE
        unknown = set(watch.seen) - known - elsewhere
        assert not unknown, f'in no table: {sorted(unknown)}'
        gone = (known | elsewhere) - set(watch.seen)
        assert not gone, f'in a table, but not there: {sorted(gone)}'
        differing = (families(watch.ask('/metrics').decode()).items() ^
                     documented().items())
        assert not differing, f'not as documented: {sorted(differing)}'
        watch.admin.close()


@test('dispatch auto waits on CPUs beside one for each worker, polled on others')
def spare_cores():
    functions = {'polled': {'image': 'echo', 'dispatch': 'polled'},
                 'auto': {'image': 'echo', 'dispatch': 'auto'}}
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip('there is one CPU')
    for workers in '1', '2':
        with Server(functions, '--workers', workers, preexec=take_two_cpus) as server:
            polled, auto = (server.function(name) for name in functions)
            is_left = workers == '1' or polled['gate'] == 'none'
            assert ('no core is spare' in auto['no_gate']) != is_left, auto
            assert 'spare' not in polled['no_gate'], polled
            assert auto['gate'] == (polled['gate'] if is_left else 'none'), auto
            for name in functions:
                server.check_works(name)


@test('what a function that cannot be deployed moves')
def not_deployed():
    slow = {'image': 'inits', 'environment': {'INIT': 'never'},
            'init_timeout': '1s'}
    with Server({**BROKEN, 'never': slow}, ready=False,
                surprises=['.*']) as server:
        server.wait_line('listening.*admin')
        watch = Watch(server)
        server.wait_line('serving ')
        server.find_port()
        watch.wait(STARTS, lambda: post('broken')(server, watch))
        watch.admin.close()


@test('what a bound of memory moves')
def bound():
    # there is room for two of their vms
    one = {'image': 'echo', 'memory': '32MiB', 'concurrency': {'max': 1}}
    with Server({name: one for name in 'abc'}, '--max-memory', '70MiB',
                surprises=['.*']) as server:
        watch = Watch(server)

        def all_of_them():
            for name in 'abc':
                post(name)(server, watch)
        watch.wait(BOUND, all_of_them)
        watch.admin.close()


@test('what a want of files moves')
def no_files():
    with Server({'echo': FUNCTIONS['echo']}, '--max-connections', '10000',
                files=300, surprises=['.*']) as server:
        watch = Watch(server)
        streams = [server.http() for _ in range(400)]
        watch.wait(NO_FILES)
        for stream in streams:
            stream.close()
        watch.admin.close()


@test('the metrics listener is read, and keeps no place of the admin')
def listener():
    with tempfile.TemporaryDirectory() as folder:
        path = f'{folder}/metrics.sock'
        with Server({'echo': FUNCTIONS['echo']}, '--max-connections', '8',
                    '--metrics', f'unix:{path}') as server:
            assert server.lines(f'listening kind=metrics address=unix:{path}')
            with Http(path) as http:
                for method, target, status in (
                        ('GET', '/metrics', 200), ('GET', '/livez', 200),
                        ('GET', '/readyz', 200), ('GET', '/v1/functions', 404),
                        ('GET', '/v1/status', 404), ('POST', '/v1/drain', 405),
                        ('POST', '/v1/reload', 405), ('POST', '/metrics', 405),
                        ('POST', '/function/echo', 405),
                        ('GET', '/function/echo', 404)):
                    response = http.request(method, target)
                    assert response.status == status, (target, response)
                text = http.request('GET', '/metrics').body.decode()
                assert 'thaw_function_state{function="echo"' in text
            check_places(server, path)
            server.check_works()


def check_places(server, path):
    """Those of the metrics are taken, and the admin answers."""
    wait_until(lambda: server.status()['connections']['open'] <= 1,
               'the one before is closed')
    streams = [Http(path) for _ in range(METRICS_CONNECTIONS)]
    for stream in streams:
        assert stream.request('GET', '/livez').status == 200
    with Http(path) as http:
        assert http.is_ended()
    assert server.metric('thaw_connections_refused_total') == 1
    streams.pop().close()

    def is_let_in():
        with Http(path) as http, contextlib.suppress(EOFError, OSError):
            return http.request('GET', '/livez').status == 200
    wait_until(is_let_in, 'there is a place again')
    for stream in streams:
        stream.close()
    wait_until(lambda: server.status()['connections']['open'] <= 1,
               'they are closed')


@test('a metrics address that others can reach needs --insecure')
def insecure():
    functions, address = {'echo': FUNCTIONS['echo']}, '0.0.0.0:0'
    with Server(functions, '--metrics', address, ready=False) as server:
        refuses(server, USAGE, address, '--insecure')
    with Server(functions, '--metrics', address, '--insecure') as server:
        found = re.search(r'kind=metrics address=0\.0\.0\.0:(\d+)',
                          server.log())
        with Http(('127.0.0.1', int(found[1]))) as http:
            assert http.request('GET', '/metrics').status == 200


if __name__ == '__main__':
    main()
