import assert from 'node:assert/strict';
import { parseClientMessage } from '../../src/session/wire/client-message.js';
import type { ProxiedConnection } from './proxy.js';

/** Checks what a client must do, or must not do, at any time, on all connections of its stream. */
export function checkConduct(connections: readonly ProxiedConnection[]): void {
  let newest = -1;
  for (const connection of connections) {
    checkFields(connection);
    checkHandshake(connection);
    checkCredits(connection);
    checkAcks(connection);
    for (const { id } of connection.fromClient('frame')) {
      assert.ok(id > newest, `ids of frames rise over all connections: ${id} came after ${newest}`);
      newest = id;
    }
  }
}

function checkFields({ seen }: ProxiedConnection): void {
  for (const { from, bytes } of seen) {
    if (from === 'client') parseClientMessage(bytes);
  }
}

function checkHandshake({ seen }: ProxiedConnection): void {
  const early = seen.slice(
    0,
    Math.max(
      0,
      seen.findIndex(({ message }) => message.type === 'ready'),
    ),
  );
  const said = early.filter(({ from }) => from === 'client').map(({ message }) => message.type);
  if (early.length > 0) assert.deepEqual(said, ['hello'], 'before ready the client says hello and no more');
}

function checkCredits({ seen }: ProxiedConnection): void {
  let allowed = 0;
  let sent = 0;
  for (const { message } of seen) {
    if (message.type === 'ready') allowed = Number(message['credits']);
    if (message.type === 'credit') allowed = Math.max(allowed, Number(message['total']));
    if (message.type === 'frame') sent += 1;
    assert.ok(sent <= allowed, `frame ${sent} of the connection was sent with credit for ${allowed}`);
  }
}

function checkAcks({ seen }: ProxiedConnection): void {
  let results = 0;
  let acknowledged = 0;
  for (const { message } of seen) {
    if (message.type === 'result') results = Number(message['sequence']);
    if (message.type !== 'ack') continue;
    const sequence = Number(message['sequence']);
    assert.ok(sequence > acknowledged, `acks rise: ${sequence} came after ${acknowledged}`);
    assert.ok(sequence <= results, `result ${sequence} was acknowledged when ${results} had come`);
    acknowledged = sequence;
  }
}
