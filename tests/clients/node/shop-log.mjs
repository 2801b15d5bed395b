// The official Node client against the shop's event log: every step asserts and says so; the exit code tells.
//   JANGTEO_NODE_CLIENT  the folder with node_modules (infra/local/node-client.sh prints it)
//   JANGTEO_LOG          the connection string, esdb://…
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.JANGTEO_NODE_CLIENT, "package.json"));
const db = require("@eventstore/db-client");

const client = db.EventStoreDBClient.connectionString(process.env.JANGTEO_LOG);
const secure = !process.env.JANGTEO_LOG.includes("tls=false");
const DEADLINE = 30_000;
const run = randomUUID().slice(0, 8);
const fresh = (category) => `${category}-${run}-${randomUUID()}`;
const placed = (number, metadata) => db.jsonEvent({ type: "OrderPlaced", data: { number }, metadata });

/** All of a read. */
async function all(reading) {
  const events = [];
  for await (const { event } of reading) events.push(event);
  return events;
}

/** The promise, or a failure that says what was waited for. */
async function within(what, promise) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`never happened: ${what}`)), DEADLINE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The next events of a subscription, in a queue that waits. */
function arrivals(subscription) {
  const waiting = [];
  const come = [];
  let failure = null;
  subscription.on("data", (resolved) => (waiting.length ? waiting.shift().done(resolved) : come.push(resolved)));
  subscription.on("error", (error) => {
    failure = error;
    waiting.splice(0).forEach(({ fail }) => fail(error));
  });
  return {
    next(what) {
      if (come.length) return Promise.resolve(come.shift());
      if (failure) return Promise.reject(failure);
      return within(what, new Promise((done, fail) => waiting.push({ done, fail })));
    },
    held: () => come.length,
  };
}

/** The first emission of an event of a stream, or its error. */
const emitted = (source, name) =>
  within(name, new Promise((done, fail) => source.once(name, done).once("error", fail)));

/** Asks again until the answer pleases. */
async function eventually(what, ask, pleases) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    assert.ok(Date.now() < end, `never happened: ${what}; last ${JSON.stringify(answer, (_, v) => (typeof v === "bigint" ? `${v}` : v))}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

const steps = {
  async "append, and read what was appended"() {
    const stream = fresh("order");
    const first = placed(1, { actor: "system:test" });
    const binary = db.binaryEvent({ type: "Picture", data: Uint8Array.from([0, 255, 7]) });
    const appended = await client.appendToStream(stream, [first, binary], { expectedRevision: db.NO_STREAM });
    assert.equal(appended.success, true);
    assert.equal(appended.nextExpectedRevision, 1n);
    assert.ok(appended.position.commit > 0n);
    const [one, two] = await all(client.readStream(stream));
    assert.deepEqual([one.id, one.type, one.data, one.metadata], [first.id, "OrderPlaced", { number: 1 }, first.metadata]);
    assert.deepEqual([one.revision, two.revision, one.isJson, two.isJson], [0n, 1n, true, false]);
    assert.deepEqual([...two.data], [0, 255, 7]);
    assert.equal(one.streamId, stream);
    assert.ok(Math.abs(Date.now() - one.created.getTime()) < 600_000, `created ${one.created}`);
    assert.deepEqual(two.position, appended.position);
    const again = await client.appendToStream(stream, [first, binary], { expectedRevision: db.NO_STREAM });
    assert.equal(again.nextExpectedRevision, 1n);
    assert.equal((await all(client.readStream(stream))).length, 2);
  },

  async "append with one call each, as a client with credentials of its own does"() {
    if (!secure) return "only with TLS";
    const [, username, password] = process.env.JANGTEO_LOG.match(/^esdb:\/\/([^:]+):([^@]+)@/);
    const credentials = { username, password: decodeURIComponent(password) };
    const stream = fresh("order");
    for (const revision of [db.NO_STREAM, 0n, 1n]) {
      await client.appendToStream(stream, placed(1), { expectedRevision: revision, credentials });
    }
    const wrong = client.appendToStream(stream, placed(1), { expectedRevision: 0n, credentials });
    await assert.rejects(wrong, (error) => error.type === "wrong-expected-version" && error.actualVersion === 2n);
    const stranger = { username: "operator", password: "not the token" };
    const refused = client.appendToStream(stream, placed(1), { credentials: stranger });
    await assert.rejects(refused, (error) => [7, 16].includes(error.code) || error.type === "access-denied");
  },

  async "conflict: the wrong expected version"() {
    const stream = fresh("order");
    await client.appendToStream(stream, [placed(1), placed(2)]);
    for (const [expectedRevision, told] of [[db.NO_STREAM, "no_stream"], [0n, 0n], [9n, 9n]]) {
      await assert.rejects(client.appendToStream(stream, placed(3), { expectedRevision }), (error) => {
        assert.ok(error instanceof db.WrongExpectedVersionError, `${error}`);
        assert.deepEqual([error.streamName, error.actualVersion, error.expectedVersion], [stream, 1n, told]);
        return true;
      });
    }
    const absent = client.appendToStream(fresh("order"), placed(1), { expectedRevision: db.STREAM_EXISTS });
    await assert.rejects(absent, (error) => error instanceof db.WrongExpectedVersionError && error.actualVersion === "no_stream");
    const { nextExpectedRevision } = await client.appendToStream(stream, placed(3), { expectedRevision: 1n });
    assert.equal(nextExpectedRevision, 2n);
  },

  async "read a stream both ways, from the middle, and one that is not there"() {
    const stream = fresh("order");
    await client.appendToStream(stream, Array.from({ length: 25 }, (_, number) => placed(number)));
    const numbers = async (options) => (await all(client.readStream(stream, options))).map(({ data }) => data.number);
    const count = [...Array(25).keys()];
    assert.deepEqual(await numbers({}), count);
    assert.deepEqual(await numbers({ direction: db.BACKWARDS, fromRevision: db.END }), count.toReversed());
    assert.deepEqual(await numbers({ fromRevision: 20n, maxCount: 3 }), [20, 21, 22]);
    assert.deepEqual(await numbers({ direction: db.BACKWARDS, fromRevision: 3n, maxCount: 3 }), [3, 2, 1]);
    await assert.rejects(all(client.readStream(fresh("order"))), (error) => error instanceof db.StreamNotFoundError);
  },

  async "read the whole log both ways"() {
    const stream = fresh("order");
    const before = await client.appendToStream(stream, placed(0));
    const after = await client.appendToStream(stream, [placed(1), placed(2)]);
    const own = (events) => events.filter(({ streamId }) => streamId === stream).map(({ data }) => data.number);
    const forwards = await all(client.readAll({ fromPosition: before.position }));
    assert.deepEqual(own(forwards), [0, 1, 2], "a read of all forwards includes the event at its position");
    const positions = forwards.map(({ position }) => position.commit);
    assert.deepEqual(positions, positions.toSorted((left, right) => (left < right ? -1 : 1)));
    const newest = await all(client.readAll({ direction: db.BACKWARDS, fromPosition: db.END, maxCount: 3 }));
    assert.deepEqual(own(newest), [2, 1, 0]);
    const backwards = client.readAll({ direction: db.BACKWARDS, fromPosition: after.position, maxCount: 1 });
    assert.deepEqual(own(await all(backwards)), [1], "a read of all backwards excludes the event at its position");
    assert.ok((await all(client.readAll({ maxCount: 1 })))[0].position.commit > 0n);
  },

  async "subscribe live to the whole log, filtered by stream name and by type"() {
    const [mine, other] = [`kept${run}`, `passed${run}`];
    const { position } = await client.appendToStream(fresh(mine), placed("before"));
    const byPrefix = client.subscribeToAll({ fromPosition: db.START, filter: db.streamNameFilter({ prefixes: [`${mine}-`] }) });
    const byType = client.subscribeToAll({
      fromPosition: position,
      filter: db.eventTypeFilter({ regex: `^Order(Kept|Shipped)${run}$` }),
    });
    const [named, typed] = [arrivals(byPrefix), arrivals(byType)];
    await Promise.all([emitted(byPrefix, "caughtUp"), emitted(byType, "caughtUp")]);
    assert.equal((await named.next("the event before")).event.data.number, "before");
    await client.appendToStream(fresh(other), placed("passed over"));
    const live = db.jsonEvent({ type: `OrderKept${run}`, data: { number: "live" } });
    const { position: at } = await client.appendToStream(fresh(mine), live);
    const [one, two] = await Promise.all([named.next("live, by name"), typed.next("live, by type")]);
    assert.deepEqual([one.event.id, two.event.id], [live.id, live.id]);
    assert.deepEqual(one.event.position, at);
    assert.equal(named.held() + typed.held(), 0);
    await Promise.all([byPrefix.unsubscribe(), byType.unsubscribe()]);
  },

  async "checkpoints of a filtered subscription that finds nothing"() {
    let seen;
    const reached = new Promise((done) => (seen = done));
    const filter = db.streamNameFilter({
      prefixes: [`nothing${run}`],
      maxSearchWindow: 1,
      checkpointInterval: 1,
      checkpointReached: (_, position) => seen(position),
    });
    const subscription = client.subscribeToAll({ fromPosition: db.START, filter });
    arrivals(subscription);
    assert.ok((await within("a checkpoint", reached)).commit > 0n);
    await subscription.unsubscribe();
  },

  async "subscribe to a stream after a revision"() {
    const stream = fresh("order");
    await client.appendToStream(stream, [placed(0), placed(1)]);
    const subscription = client.subscribeToStream(stream, { fromRevision: 0n });
    const come = arrivals(subscription);
    assert.equal((await come.next("the second")).event.data.number, 1);
    await client.appendToStream(stream, placed(2));
    assert.equal((await come.next("the live one")).event.data.number, 2);
    await subscription.unsubscribe();
  },

  async "persistent subscription to a stream: ack, park, replay what is parked, info, list, update, delete"() {
    const [stream, group] = [fresh("order"), `shipping-${run}`];
    const settings = db.persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: db.START, checkPointLowerBound: 1 });
    await client.createPersistentSubscriptionToStream(stream, group, settings);
    const twice = client.createPersistentSubscriptionToStream(stream, group, settings);
    await assert.rejects(twice, (error) => error.type === "persistent-subscription-exists");
    await client.appendToStream(stream, [placed(0), placed(1), placed(2)]);
    const subscription = client.subscribeToPersistentSubscriptionToStream(stream, group);
    const come = arrivals(subscription);
    for (const number of [0, 1, 2]) {
      const resolved = await come.next(`event ${number}`);
      assert.equal(resolved.event.data.number, number);
      if (number === 1) await subscription.nack(db.PARK, "cannot be shipped", resolved);
      else await subscription.ack(resolved);
    }
    const info = () => client.getPersistentSubscriptionToStreamInfo(stream, group);
    const parked = await eventually("one is parked", info, ({ stats }) => stats.parkedMessageCount === 1n);
    assert.deepEqual([parked.groupName, parked.eventSource, parked.connections.length], [group, stream, 1]);
    await client.replayParkedMessagesToStream(stream, group);
    const replayed = await come.next("the parked one again");
    assert.equal(replayed.event.data.number, 1);
    await subscription.ack(replayed);
    await eventually("none is parked", info, ({ stats }) => stats.parkedMessageCount === 0n);
    await client.appendToStream(stream, placed(3));
    const live = await come.next("the live one");
    assert.equal(live.event.data.number, 3);
    await subscription.ack(live);
    await eventually("all is acknowledged", info, ({ stats }) => stats.totalInFlightMessages === 0);
    await subscription.unsubscribe();
    assert.equal((await client.listPersistentSubscriptionsToStream(stream)).length, 1);
    await client.updatePersistentSubscriptionToStream(stream, group, { ...settings, maxRetryCount: 3 });
    assert.equal((await info()).settings.maxRetryCount, 3);
    await client.deletePersistentSubscriptionToStream(stream, group);
    await assert.rejects(info(), (error) => error.type === "persistent-subscription-does-not-exist");
  },

  async "persistent subscription to the whole log, filtered, with a retry"() {
    const [category, group] = [`parcel${run}`, `tracking-${run}`];
    const settings = db.persistentSubscriptionToAllSettingsFromDefaults({ startFrom: db.START });
    const filter = db.streamNameFilter({ prefixes: [`${category}-`] });
    await client.createPersistentSubscriptionToAll(group, settings, { filter });
    const subscription = client.subscribeToPersistentSubscriptionToAll(group);
    const come = arrivals(subscription);
    await client.appendToStream(fresh("order"), placed("passed over"));
    await client.appendToStream(fresh(category), placed("mine"));
    const first = await come.next("the event");
    assert.equal(first.event.data.number, "mine");
    await subscription.nack(db.RETRY, "once more", first);
    const second = await come.next("the event again");
    assert.equal(second.event.id, first.event.id);
    await subscription.ack(second);
    await subscription.unsubscribe();
    const groups = await client.listPersistentSubscriptionsToAll();
    assert.ok(groups.some(({ groupName }) => groupName === group));
    await client.deletePersistentSubscriptionToAll(group);
  },

  async "stream metadata: only the newest events are kept in sight"() {
    const stream = fresh("order");
    assert.equal((await client.getStreamMetadata(stream)).metadata, undefined);
    await client.appendToStream(stream, Array.from({ length: 10 }, (_, number) => placed(number)));
    await client.setStreamMetadata(stream, { maxCount: 3, owner: "shop" });
    assert.deepEqual((await client.getStreamMetadata(stream)).metadata, { maxCount: 3, owner: "shop" });
    const numbers = async () => (await all(client.readStream(stream))).map(({ data }) => data.number);
    assert.deepEqual(await numbers(), [7, 8, 9]);
    await client.appendToStream(stream, placed(10), { expectedRevision: 9n });
    assert.deepEqual(await numbers(), [8, 9, 10]);
    await client.setStreamMetadata(stream, { truncateBefore: 10 }, { expectedRevision: 0n });
    assert.deepEqual(await numbers(), [10]);
  },

  async "delete: the stream is gone, its versions go on"() {
    const stream = fresh("order");
    await client.appendToStream(stream, [placed(0), placed(1)]);
    const wrong = client.deleteStream(stream, { expectedRevision: 7n });
    await assert.rejects(wrong, (error) => error instanceof db.WrongExpectedVersionError && error.actualVersion === 1n);
    await client.deleteStream(stream, { expectedRevision: 1n });
    await assert.rejects(all(client.readStream(stream)), (error) => error instanceof db.StreamNotFoundError);
    const { nextExpectedRevision } = await client.appendToStream(stream, placed(2), { expectedRevision: db.ANY });
    assert.equal(nextExpectedRevision, 2n);
    const [{ revision, data }, ...others] = await all(client.readStream(stream));
    assert.deepEqual([revision, data.number, others.length], [2n, 2, 0]);
  },

  async "tombstone: the stream is gone for good"() {
    const stream = fresh("order");
    await client.appendToStream(stream, placed(0));
    await client.tombstoneStream(stream);
    await assert.rejects(all(client.readStream(stream)), (error) => error instanceof db.StreamDeletedError);
    await assert.rejects(client.appendToStream(stream, placed(1)), (error) => error instanceof db.StreamDeletedError);
  },
};

const only = process.argv[2];
for (const [name, step] of Object.entries(steps)) {
  if (only && !name.includes(only)) continue;
  try {
    const remark = await within(name, step());
    console.log(remark ? `skipped ${name}: ${remark}` : `ok ${name}`);
  } catch (error) {
    console.log(`FAILED ${name}`);
    console.error(error);
    process.exit(1);
  }
}
console.log("all steps passed");
await client.dispose();
process.exit(0);
