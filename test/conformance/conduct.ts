import assert from 'node:assert/strict';
import { parseClientMessage } from '../../src/session/wire/client-message.js';
import type { ProxiedConnection } from './proxy.js';

/** Milliseconds that a round trip may take on a busy machine. */
const farthestOffset = 60_000;

/** Checks the rules that a client must follow at any time, on all connections of its stream. */
export function checkConduct(connections: readonly ProxiedConnection[]): void {
  const newest = new Map<string, number>();
  for (const connection of connections) {
    checkFields(connection);
    checkHandshake(connection);
    checkCredits(connection);
    checkAcks(connection);
    checkOffsets(connection);
    checkIds(connection, newest);
  }
}

/** @param newest the highest id so far of each session, which may have had other connections. */
function checkIds({ seen }: ProxiedConnection, newest: Map<string, number>): void {
  let session = '';
  for (const { message } of seen) {
    if (message.type === 'ready') session = String(message['session']);
    if (message.type !== 'frame') continue;
    const id = Number(message['id']);
    const before = newest.get(session) ?? -1;
    assert.ok(id > before, `frame ids must rise in a session: ${id} came after ${before}`);
    newest.set(session, id);
  }
}

/** Checks that a reported offset is that of a ping of this connection: each server has its own clock. */
function checkOffsets({ seen }: ProxiedConnection): void {
  const offsets: number[] = [];
  for (const { message } of seen) {
    if (message.type === 'pong') offsets.push(Number(message['sent']) - Number(message['received']));
    const { offset } = message;
    if (message.type !== 'ping' || typeof offset !== 'number') continue;
    const nearest = Math.min(...offsets.map((other) => Math.abs(offset - other)));
    assert.ok(
      nearest < farthestOffset,
      `a ping has the offset ${offset}, which fits no pong of its connection`,
    );
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
  let greeted = false;
  for (const { from, message } of early) {
    // After a refusal the client may send hello again.
    if (from === 'server' && message.type === 'error') greeted = false;
    if (from === 'server') continue;
    assert.equal(message.type, 'hello', 'before ready the client sends only hello');
    assert.ok(!greeted, 'the client sends hello once');
    greeted = true;
  }
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
  for (const { message } of seen) {
    if (message.type === 'result') results = Number(message['sequence']);
    if (message.type !== 'ack') continue;
    const sequence = Number(message['sequence']);
    assert.ok(sequence <= results, `result ${sequence} was acknowledged when ${results} had come`);
  }
}
