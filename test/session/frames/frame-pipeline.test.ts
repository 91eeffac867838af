import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rig } from '../rig.js';

describe('frames', () => {
  it('come back as results with the id, the capture time and the timings of the frame', async () => {
    const rig = await Rig.active();
    await rig.generate(7);
    await rig.until(() => rig.all('result').length === 1);
    const [result] = rig.all('result');
    assert.ok(result);
    const { id, sequence, captured, width, height, timings, data } = result;
    assert.deepEqual([id, sequence, captured, width, height], [7, 1, 70, 64, 64]);
    assert.deepEqual([timings.encode, timings.denoise, timings.vae_decode], [2, 3, 4]);
    assert.ok(timings.total >= timings.decode + timings.queue + timings.image_encode);
    assert.deepEqual([...data.subarray(0, 2)], [0xff, 0xd8]);
    await rig.until(() => rig.stream.lent === 0);
  });

  it('return their credit when work on them begins', async () => {
    const rig = await Rig.active();
    rig.frame(0);
    await rig.until(() => rig.stream.waiting !== null);
    assert.deepEqual(rig.all('credit'), []);
    rig.stream.admit();
    assert.deepEqual(rig.all('credit'), [{ type: 'credit', total: 3 }]);
  });

  it('replace older ones, wherever these wait', async () => {
    const rig = await Rig.active({ credits: 8 });
    rig.frame(0);
    await rig.until(() => rig.stream.waiting !== null);
    // 0 waits in the engine, 1 is being decoded, 2 and 3 wait for that.
    rig.frame(1);
    rig.frame(2);
    rig.frame(3);
    await rig.until(() => rig.stream.waiting?.frame === 3);
    assert.deepEqual(rig.drops, ['2 superseded', '0 superseded', '1 superseded']);
    assert.equal(rig.all('credit').at(-1)?.total, 11);
  });

  it('beyond the credits are refused, and use none', async () => {
    const rig = await Rig.active({ credits: 1 });
    rig.frame(0);
    rig.frame(1);
    assert.deepEqual(
      rig.all('error').map(({ code, id }) => [code, id]),
      [['credit_exceeded', 1]],
    );
    assert.deepEqual(rig.drops, ['1 overload']);
    await rig.until(() => rig.stream.waiting?.frame === 0);
    rig.stream.admit();
    assert.equal(rig.all('credit').at(-1)?.total, 3);
  });

  it('that are not images are refused, and the stream continues', async () => {
    const rig = await Rig.active();
    rig.frame(0, new Uint8Array([1, 2, 3]));
    await rig.until(() => rig.all('dropped').length === 1);
    assert.deepEqual(
      rig.all('error').map(({ code, id }) => [code, id]),
      [['invalid_frame', 0]],
    );
    assert.deepEqual(rig.drops, ['0 invalid']);
    assert.equal(rig.all('credit').at(-1)?.total, 3);
    await rig.generate(1);
    await rig.until(() => rig.all('result').length === 1);
  });

  it('that the model fails on are dropped, with one error for all in a row, and the stream continues', async () => {
    const rig = await Rig.active({ credits: 8 });
    const failAt = async (id: number): Promise<void> => {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      rig.stream.admit();
      rig.stream.fail();
      await rig.until(() => rig.drops.includes(`${id} failed`));
    };
    await failAt(0);
    await failAt(1);
    const errors = (): readonly unknown[] => rig.all('error').map(({ code, id }) => [code, id]);
    assert.deepEqual(errors(), [['generation_failed', 0]]);
    await rig.generate(2);
    await rig.until(() => rig.all('result').length === 1);
    await failAt(3);
    assert.deepEqual(errors(), [
      ['generation_failed', 0],
      ['generation_failed', 3],
    ]);
    assert.deepEqual(rig.drops, ['0 failed', '1 failed', '3 failed']);
  });

  it('that are skipped as similar are reported', async () => {
    const rig = await Rig.active();
    rig.frame(0);
    await rig.until(() => rig.stream.waiting !== null);
    rig.stream.skip();
    assert.deepEqual(rig.drops, ['0 similar']);
    assert.equal(rig.all('credit').at(-1)?.total, 3);
  });

  it('whose ids do not rise end the connection', async () => {
    const rig = await Rig.active();
    rig.frame(5);
    rig.frame(5);
    assert.deepEqual(rig.wire.closed, { code: 4400, reason: 'invalid_message' });
    assert.equal(rig.all('error')[0]?.field, 'id');
  });

  it('are fitted to the size of the stream', async () => {
    const rig = await Rig.active();
    rig.send({ type: 'update', request: 0, parameters: { width: 128, height: 72, fit: 'contain' } });
    await rig.until(() => rig.all('updated').length === 1);
    rig.frame(0);
    await rig.until(() => rig.stream.waiting !== null);
    const { width, height } = rig.stream.waiting?.image ?? {};
    assert.deepEqual([width, height], [128, 72]);
  });
});

describe('a client that does not acknowledge', () => {
  it('gets no results beyond the limit, and causes no more work', async () => {
    const rig = await Rig.active();
    await rig.generate(0);
    await rig.generate(1);
    await rig.until(() => rig.all('result').length === 2);
    rig.frame(2);
    rig.frame(3);
    await rig.settled();
    assert.deepEqual(rig.stream.pushed, [0, 1]);
    assert.deepEqual(rig.drops, ['2 superseded']);
    rig.send({ type: 'ack', sequence: 1 });
    await rig.until(() => rig.stream.waiting?.frame === 3);
  });

  it('gets the newest of the waiting results once it acknowledges', async () => {
    const rig = await Rig.active({ unacknowledgedResults: 1, credits: 8 });
    for (const id of [0, 1, 2, 3]) {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      rig.stream.admit();
    }
    for (let frame = 0; frame < 4; frame++) rig.stream.finish();
    await rig.until(() => rig.all('result').length === 1);
    await rig.settled();
    assert.deepEqual(rig.drops, ['1 stale', '2 stale']);
    assert.equal(rig.stream.lent, 1);
    rig.send({ type: 'ack', sequence: 1 });
    await rig.until(() => rig.all('result').length === 2);
    assert.deepEqual(
      rig.all('result').map(({ id, sequence }) => [id, sequence]),
      [
        [0, 1],
        [3, 2],
      ],
    );
    await rig.until(() => rig.stream.lent === 0);
  });

  it('may not acknowledge a result that it did not get', async () => {
    const rig = await Rig.active();
    rig.send({ type: 'ack', sequence: 1 });
    assert.deepEqual(rig.wire.closed, { code: 4400, reason: 'invalid_message' });
  });

  it('is disconnected if it reads nothing at all', async () => {
    const rig = await Rig.active();
    rig.wire.bufferedBytes = 1_000_001;
    rig.frame(0);
    assert.deepEqual(rig.wire.closed, { code: 1013, reason: 'slow_reader' });
    assert.equal(rig.context.sessions.parked, 1, 'it may come back');
  });
});

describe('a change', () => {
  it('of the size waits for frames of the old size', async () => {
    const rig = await Rig.active({ credits: 8 });
    rig.frame(0);
    await rig.until(() => rig.stream.waiting?.frame === 0);
    rig.send({ type: 'update', request: 1, parameters: { width: 128 } });
    await rig.settled();
    rig.frame(1);
    await rig.settled();
    assert.deepEqual(rig.stream.pushed, [0]);
    assert.equal(rig.stream.parameters.width, 64);
    rig.stream.admit();
    await rig.until(() => rig.stream.waiting?.frame === 1);
    assert.equal(rig.stream.parameters.width, 128);
    assert.equal(rig.stream.waiting?.image.width, 128);
    assert.equal(rig.all('updated')[0]?.from, 1);
  });

  it('of the quality applies from the frame that it names', async () => {
    const rig = await Rig.active({ credits: 8 });
    rig.frame(0);
    await rig.until(() => rig.stream.waiting?.frame === 0);
    rig.stream.admit();
    rig.send({ type: 'update', request: 1, parameters: { quality: 1 } });
    await rig.until(() => rig.all('updated').length === 1);
    rig.stream.finish();
    await rig.generate(1);
    await rig.until(() => rig.all('result').length === 2);
    assert.equal(rig.all('updated')[0]?.from, 1);
    // The quantisation tables, which depend on the quality, come first in a JPEG.
    const tables = rig.all('result').map(({ data }) => Buffer.from(data.subarray(20, 160)).toString('hex'));
    assert.notEqual(tables[0], tables[1]);
  });
});

describe('a stream without a connection', () => {
  it('continues: results are kept, and nothing is sent', async () => {
    const rig = await Rig.active({ credits: 8 });
    for (const id of [0, 1, 2]) {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      if (id < 2) rig.stream.admit();
    }
    const { listener } = rig.stream;
    const session = rig.context.sessions.find(rig.connection.id);
    assert.ok(session);
    rig.connection.disconnected(1006);
    const sentBefore = rig.sent.length;
    listener.onDropped(9, 'similar');
    rig.stream.admit();
    rig.stream.finish();
    assert.equal(rig.stream.lent, 1, 'the result waits');
    rig.stream.skip();
    listener.onRestart();
    listener.onClosed(new Error('gone'));
    await rig.settled();
    assert.equal(rig.sent.length, sentBefore);
    rig.context.sessions.remove(session);
    await rig.until(() => rig.stream.lent === 0);
    const { lastActivityAt } = session.frames;
    await listener.onResult(1, {
      width: 64,
      height: 64,
      data: new Uint8Array(64 * 64 * 3),
      timings: { queueMs: 0, vaeEncodeMs: 0, denoiseMs: 0, vaeDecodeMs: 0 },
    });
    assert.equal(session.frames.lastActivityAt, lastActivityAt);
    listener.onAdmitted(1);
    session.frames.close();
  });
});
