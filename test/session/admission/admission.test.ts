import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { stopTime } from '../../support/stopped-time.js';
import { Admission, type Slot } from '../../../src/session/admission/admission.js';

const forever = new AbortController().signal;

function setUp(capacity: number, queueTimeoutMs = 60_000) {
  const limits = { capacity };
  const admission = new Admission({ slots: () => limits.capacity, queueLength: 3, queueTimeoutMs });
  const positions = new Map<string, number[]>();
  /** Names in the order of admission. */
  const admitted: string[] = [];
  const enter = (name: string, gone: AbortSignal = forever): Promise<Slot> => {
    positions.set(name, []);
    const slot = admission.enter(gone, (position) => positions.get(name)?.push(position));
    slot.then(
      () => admitted.push(name),
      () => {},
    );
    return slot;
  };
  return { admission, limits, positions, admitted, enter };
}

describe('Admission', () => {
  it('admits clients up to the capacity; others wait, and get their position', async () => {
    const { admission, positions, admitted, enter } = setUp(2);
    const first = await enter('a');
    await enter('b');
    const third = enter('c');
    const fourth = enter('d');
    assert.deepEqual([positions.get('c'), positions.get('d')], [[1], [2]]);
    assert.deepEqual([admission.served, admission.waiting], [2, 2]);
    first.release();
    first.release();
    const slot = await third;
    assert.deepEqual(positions.get('d'), [2, 1]);
    slot.release();
    await fourth;
    assert.deepEqual(admitted, ['a', 'b', 'c', 'd']);
    assert.deepEqual([admission.served, admission.waiting], [2, 0]);
  });

  it('refuses clients if the queue is full too', async () => {
    const { admission, enter } = setUp(1);
    await enter('a');
    for (const name of ['b', 'c', 'd']) void enter(name);
    assert.equal(admission.full, true);
    assert.ok(admission.wait > 0);
    await assert.rejects(enter('e'), { code: 'too_many_sessions' });
  });

  it('removes clients that wait too long, or are gone', async () => {
    const { admission, positions, enter } = setUp(1, 5);
    await enter('a');
    const client = new AbortController();
    const gone = enter('b', client.signal);
    const late = enter('c');
    client.abort();
    await assert.rejects(gone, /gone/);
    assert.deepEqual(positions.get('c'), [2, 1]);
    await assert.rejects(late, { code: 'queue_timeout' });
    assert.equal(admission.waiting, 0);
  });

  it('gives no slot to clients that are gone before they enter', async () => {
    const { admission, enter } = setUp(1);
    const client = new AbortController();
    client.abort();
    await assert.rejects(enter('a', client.signal), /gone/);
    assert.deepEqual([admission.served, admission.waiting], [0, 0]);
    await enter('b');
    await assert.rejects(enter('c', client.signal), /gone/);
    assert.deepEqual([admission.served, admission.waiting], [1, 0]);
  });

  it('admits more when the capacity grows', async () => {
    const { admission, limits, enter } = setUp(1);
    await enter('a');
    const waiting = enter('b');
    limits.capacity = 2;
    admission.poke();
    await waiting;
    assert.equal(admission.served, 2);
  });

  it('admits waiting clients first when the capacity has grown', async () => {
    const { admission, limits, positions, admitted, enter } = setUp(1);
    await enter('a');
    const waiting = enter('b');
    limits.capacity = 2;
    const last = enter('c');
    await waiting;
    assert.deepEqual([admitted, positions.get('c'), admission.waiting], [['a', 'b'], [1], 1]);
    limits.capacity = 3;
    admission.poke();
    await last;
  });

  it('leaves neither a timer nor a listener behind', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { limits, admission, enter } = setUp(1);
    await enter('a');
    const [served, leaves] = [new AbortController(), new AbortController()];
    const waiting = enter('b', served.signal);
    const leaving = enter('c', leaves.signal);
    assert.equal(timers(), before + 2);
    limits.capacity = 2;
    admission.poke();
    leaves.abort();
    await waiting;
    await assert.rejects(leaving, { message: 'the client is gone' });
    assert.equal(timers(), before);
    for (const { signal } of [served, leaves]) assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  it('estimates the wait by how long others stayed, up to the longest allowed wait', async (t) => {
    const pass = stopTime(t);
    const { admission, limits, enter } = setUp(2, 3_600_000);
    const waits = (): number => admission.wait;
    // The first guess is a minute for each slot.
    assert.equal(waits(), 30);
    limits.capacity = 1;
    assert.equal(waits(), 60);
    const slot = await enter('a');
    void enter('b');
    assert.equal(waits(), 120);
    pass(4000);
    // An eighth of the way to 4 seconds.
    slot.release();
    assert.equal(waits(), 53);
    limits.capacity = 0;
    assert.equal(waits(), 53, 'as if one slot were left');
    assert.equal(setUp(1, 5500).admission.wait, 5.5);
  });

  it('reports each position once, with the wait', async (t) => {
    stopTime(t);
    const { admission, limits } = setUp(1, 3_600_000);
    const reported: (readonly number[])[] = [];
    const first = await admission.enter(forever, () => assert.fail('there was room'));
    const second = admission.enter(forever, (...at) => reported.push(at));
    admission.poke();
    void admission.enter(forever, (...at) => reported.push(at));
    assert.deepEqual(reported, [
      [1, 60],
      [2, 120],
    ]);
    assert.equal(admission.full, false);
    void admission.enter(forever, () => {});
    assert.equal(admission.full, true);
    limits.capacity = 2;
    assert.equal(admission.full, false);
    first.release();
    await second;
  });
});
