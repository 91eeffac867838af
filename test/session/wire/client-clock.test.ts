import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientClock } from '../../../src/session/wire/client-clock.js';
import { WatchedWire } from '../../../src/session/wire/watched-wire.js';

describe('the clock of a client', () => {
  it('is that of the server, and gives no ages, while it is unknown', () => {
    const clock = new ClientClock();
    assert.deepEqual([clock.at(50), clock.since(0, 50)], [50, null]);
  });

  it('is that of its hello, as if that had taken no time', () => {
    const clock = new ClientClock();
    clock.start(1000, 40);
    assert.deepEqual([clock.at(50), clock.since(1003, 50)], [1010, 7]);
    clock.start(2000, 40);
    assert.equal(clock.at(50), 2010);
  });

  it('has the offset that the client reports, after which hello no longer counts', () => {
    const clock = new ClientClock();
    clock.adjust(300);
    clock.start(1000, 40);
    assert.deepEqual([clock.at(50), clock.since(340, 50)], [350, 10]);
    clock.adjust(0);
    assert.deepEqual([clock.at(50), clock.since(50, 50)], [50, 0]);
  });
});

describe('a watched wire', () => {
  it('passes everything on, and keeps the last picture if it may', () => {
    for (const keep of [true, false]) {
      const passed: unknown[] = [];
      const wire = new WatchedWire(
        {
          bufferedBytes: 17,
          address: '10.0.0.1',
          send: (message) => void passed.push(message),
          close: (...how) => void passed.push(how),
        },
        keep,
      );
      assert.deepEqual([wire.bufferedBytes, wire.address, wire.picture], [17, '10.0.0.1', null]);
      const data = Uint8Array.of(1);
      const messages = [
        { type: 'result', data },
        { type: 'dropped', id: 1, reason: 'stale', data: null },
      ];
      for (const message of messages) wire.send(message as never);
      wire.close(1000, 'done');
      assert.deepEqual(passed, [...messages, [1000, 'done']]);
      assert.equal(wire.picture, keep ? data : null);
    }
  });
});
