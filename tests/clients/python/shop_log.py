"""The Python client against the shop's event log: every step asserts and says so; the exit code tells.

JANGTEO_LOG  the connection string, esdb://…
Run by the interpreter that infra/local/python-client.sh prints. An argument picks steps by their name.
"""

import base64
import json
import os
import sys
import threading
import time
from uuid import uuid4

from kurrentdbclient import KurrentDBClient, NewEvent, StreamState, exceptions

LOG = os.environ["JANGTEO_LOG"]
DEADLINE = 30.0
RUN = uuid4().hex[:8]
STEPS = []


def step(function):
    """Steps run in the order they are written in."""
    STEPS.append(function)
    return function


def fresh(category="order"):
    return f"{category}-{RUN}-{uuid4()}"


def placed(number, event_type="OrderPlaced"):
    return NewEvent(type=event_type, data=json.dumps({"number": number}).encode(), metadata=b'{"actor":"system:test"}')


def number(event):
    return json.loads(event.data)["number"]


def numbers(events):
    return [number(event) for event in events]


def expect(error, call, *arguments, **named):
    """The error that a call must end with."""
    try:
        call(*arguments, **named)
    except error as caught:
        return caught
    raise AssertionError(f"no {error.__name__}")


def eventually(what, ask, pleases):
    """Asks again until the answer pleases."""
    end = time.monotonic() + DEADLINE
    while True:
        answer = ask()
        if pleases(answer):
            return answer
        assert time.monotonic() < end, f"never happened: {what}; last {answer}"
        time.sleep(0.02)


@step
def append_and_read_what_was_appended(client):
    stream = fresh()
    one, two = placed(1), NewEvent(type="Picture", data=b"\x00\xff\x07", content_type="application/octet-stream")
    at = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[one, two])
    first, second = client.get_stream(stream)
    assert (first.id, first.type, first.data, first.metadata) == (one.id, "OrderPlaced", one.data, one.metadata)
    assert (second.data, second.content_type) == (b"\x00\xff\x07", "application/octet-stream")
    assert [event.stream_position for event in (first, second)] == [0, 1]
    assert second.commit_position == at > first.commit_position > 0
    assert abs(first.recorded_at.timestamp() - time.time()) < 600, first.recorded_at
    assert client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[one, two]) == at
    assert client.get_current_version(stream) == 1


@step
def append_one_event_with_a_plain_call(client):
    stream = fresh()
    for version in (StreamState.NO_STREAM, 0, 1):
        client.append_to_stream(stream, current_version=version, events=placed(1))
    wrong = expect(
        exceptions.WrongCurrentVersionError, client.append_to_stream, stream, current_version=0, events=placed(1)
    )
    assert (wrong.actual_version, wrong.stream_name) == (2, stream)
    assert client.get_current_version(stream) == 2


@step
def conflict_of_a_batch(client):
    stream = fresh()
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[placed(1), placed(2)])
    for version in (StreamState.NO_STREAM, 0, 9):
        wrong = expect(
            exceptions.WrongCurrentVersionError,
            client.append_to_stream,
            stream,
            current_version=version,
            events=[placed(3), placed(4)],
        )
        assert (wrong.actual_version, wrong.expected_version) == (1, version), wrong
    absent = expect(
        exceptions.WrongCurrentVersionError,
        client.append_to_stream,
        fresh(),
        current_version=StreamState.EXISTS,
        events=[placed(1)],
    )
    assert absent.actual_version == StreamState.NO_STREAM, absent
    client.append_to_stream(stream, current_version=1, events=[placed(3), placed(4)])


@step
def read_a_stream_both_ways_and_one_that_is_not_there(client):
    stream = fresh()
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[placed(n) for n in range(25)])
    assert numbers(client.get_stream(stream)) == list(range(25))
    assert numbers(client.get_stream(stream, backwards=True)) == list(reversed(range(25)))
    assert numbers(client.get_stream(stream, stream_position=20, limit=3)) == [20, 21, 22]
    assert numbers(client.get_stream(stream, stream_position=3, backwards=True, limit=3)) == [3, 2, 1]
    expect(exceptions.NotFoundError, client.get_stream, fresh())


@step
def read_the_whole_log_both_ways(client):
    stream = fresh()
    before = client.append_to_stream(stream, current_version=StreamState.ANY, events=placed(0))
    after = client.append_to_stream(stream, current_version=0, events=[placed(1), placed(2)])
    # The client's default filter: a regular expression with look-ahead, no system events.
    forwards = list(client.read_all(commit_position=before))
    assert numbers(event for event in forwards if event.stream_name == stream) == [0, 1, 2]
    positions = [event.commit_position for event in forwards]
    assert positions == sorted(positions)
    assert not [event for event in forwards if event.type.startswith("$")]
    assert numbers(client.read_all(backwards=True, limit=3)) == [2, 1, 0]
    assert numbers(client.read_all(backwards=True, commit_position=after, limit=1)) == [1]
    only = client.read_all(filter_include=[stream], filter_by_stream_name=True)
    assert numbers(only) == [0, 1, 2]
    assert client.get_commit_position() == after


@step
def subscribe_live_to_the_whole_log_with_a_filter(client):
    mine, other = f"kept{RUN}", f"passed{RUN}"
    client.append_to_stream(fresh(mine), current_version=StreamState.ANY, events=placed("before"))
    subscription = client.subscribe_to_all(
        filter_include=[f"{mine}-.*"], filter_by_stream_name=True, include_caught_up=True
    )
    assert number(next(subscription)) == "before"
    assert next(subscription).is_caught_up
    client.append_to_stream(fresh(other), current_version=StreamState.ANY, events=placed("passed over"))
    live = placed("live")
    client.append_to_stream(fresh(mine), current_version=StreamState.ANY, events=live)
    assert next(subscription).id == live.id
    subscription.stop()


@step
def subscribe_by_prefix_of_the_type_with_checkpoints(client):
    subscription = client.subscribe_to_all(
        filter_include=[f"Nothing{RUN}"], filter_by_prefix=True, include_checkpoints=True, window_size=1
    )
    assert next(subscription).is_checkpoint
    subscription.stop()


@step
def subscribe_to_a_stream_after_a_position(client):
    stream = fresh()
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[placed(0), placed(1)])
    subscription = client.subscribe_to_stream(stream, stream_position=0)
    assert number(next(subscription)) == 1
    client.append_to_stream(stream, current_version=1, events=placed(2))
    assert number(next(subscription)) == 2
    subscription.stop()


@step
def persistent_subscription_ack_park_and_replay(client):
    stream, group = fresh(), f"shipping-{RUN}"
    client.create_subscription_to_stream(group, stream, consumer_strategy="RoundRobin", min_checkpoint_count=1)
    expect(exceptions.AlreadyExistsError, client.create_subscription_to_stream, group, stream)
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[placed(n) for n in range(3)])
    subscription = client.read_subscription_to_stream(group, stream)
    for expected in range(3):
        event = next(subscription)
        assert number(event) == expected
        if expected == 1:
            subscription.nack(event, action="park")
        else:
            subscription.ack(event)

    def info():
        return client.get_subscription_info(group, stream)

    parked = eventually("one is parked", info, lambda info: info.parked_message_count == 1)
    assert (parked.event_source, parked.group_name, len(parked.connections)) == (stream, group, 1), parked
    client.replay_parked_events(group, stream)
    event = next(subscription)
    assert number(event) == 1
    subscription.ack(event)
    eventually("none is parked", info, lambda info: info.parked_message_count == 0)
    eventually("all is acknowledged", info, lambda info: info.total_in_flight_messages == 0)
    subscription.stop()
    assert [info.group_name for info in client.list_subscriptions_to_stream(stream)] == [group]
    client.update_subscription_to_stream(group, stream, max_retry_count=3)
    assert info().max_retry_count == 3
    client.delete_subscription(group, stream)
    expect(exceptions.NotFoundError, info)


@step
def persistent_subscription_to_the_whole_log(client):
    category, group = f"parcel{RUN}", f"tracking-{RUN}"
    client.create_subscription_to_all(group, filter_include=[f"{category}-.*"], filter_by_stream_name=True)
    subscription = client.read_subscription_to_all(group)
    client.append_to_stream(fresh(), current_version=StreamState.ANY, events=placed("passed over"))
    client.append_to_stream(fresh(category), current_version=StreamState.ANY, events=placed("mine"))
    first = next(subscription)
    assert number(first) == "mine"
    subscription.nack(first, action="retry")
    again = next(subscription)
    assert again.id == first.id
    subscription.ack(again)
    subscription.stop()
    assert group in [info.group_name for info in client.list_subscriptions()]
    client.delete_subscription(group)


@step
def metadata_keeps_only_the_newest_in_sight(client):
    stream = fresh()
    assert client.get_stream_metadata(stream) == ({}, StreamState.NO_STREAM)
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[placed(n) for n in range(10)])
    client.set_stream_metadata(stream, metadata={"$maxCount": 3, "owner": "shop"})
    assert client.get_stream_metadata(stream) == ({"$maxCount": 3, "owner": "shop"}, 0)
    assert numbers(client.get_stream(stream)) == [7, 8, 9]
    assert numbers(client.get_stream(stream, backwards=True)) == [9, 8, 7]
    client.append_to_stream(stream, current_version=9, events=placed(10))
    assert numbers(client.get_stream(stream)) == [8, 9, 10]
    client.set_stream_metadata(stream, metadata={"$tb": 10}, current_version=0)
    assert numbers(client.get_stream(stream)) == [10]


@step
def delete_and_go_on(client):
    stream = fresh()
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[placed(0), placed(1)])
    wrong = expect(exceptions.WrongCurrentVersionError, client.delete_stream, stream, current_version=7)
    assert (wrong.actual_version, wrong.stream_name) == (1, stream)
    client.delete_stream(stream, current_version=1)
    expect(exceptions.NotFoundError, client.get_stream, stream)
    assert client.get_current_version(stream) == StreamState.NO_STREAM
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[placed(2)])
    (event,) = client.get_stream(stream)
    assert (event.stream_position, number(event)) == (2, 2)


@step
def tombstone_for_good(client):
    stream = fresh()
    client.append_to_stream(stream, current_version=StreamState.ANY, events=placed(0))
    client.tombstone_stream(stream, current_version=0)
    expect(exceptions.StreamIsDeletedError, client.get_stream, stream)
    batch = [placed(1), placed(2)]
    expect(exceptions.StreamIsDeletedError, client.append_to_stream, stream, current_version=0, events=batch)


@step
def one_node_and_its_leader(client):
    (member,) = client.read_gossip()
    assert member.state == "NODE_STATE_LEADER", member


@step
def a_stranger_is_refused(client):
    if "tls=false" in LOG.lower():
        return "only with TLS"
    wrong = client.construct_call_credentials("operator", base64.b64encode(b"guess").decode())
    refused = (exceptions.UnauthenticatedError, exceptions.AccessDeniedError)
    for call in (client.get_stream, client.get_stream_metadata):
        try:
            call(fresh(), credentials=wrong)
        except refused:
            continue
        raise AssertionError("a stranger was let in")
    return None


def main():
    client = KurrentDBClient(LOG)
    wanted = [step for step in STEPS if len(sys.argv) < 2 or sys.argv[1] in step.__name__]
    for function in wanted:
        name = function.__name__.replace("_", " ")
        # A subscription that never brings its event blocks for ever: the watch ends the process.
        watch = threading.Timer(DEADLINE * 2, lambda: (print(f"FAILED {name}: never ended", flush=True), os._exit(1)))
        watch.daemon = True
        watch.start()
        try:
            remark = function(client)
        except BaseException:
            print(f"FAILED {name}", flush=True)
            raise
        finally:
            watch.cancel()
        print(f"skipped {name}: {remark}" if remark else f"ok {name}", flush=True)
    client.close()
    print("all steps passed", flush=True)


main()
