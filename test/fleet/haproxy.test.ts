import { isErrorCode } from '@millrace/protocol';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { settingsTable } from '../../src/settings/settings-table.js';
import { assertKnownSettings } from '../ops/known-settings.js';
import { complaintsOf } from '../ops/programs.js';
import { motionJpegFrames } from '../support/frames.js';
import { StreamClient } from '../support/stream-client.js';
import { Fleet } from './fleet.js';
import { haproxy, haproxyFile } from './haproxy-process.js';
import { askForImage, sendPicture, takeImagePlace } from './image-places.js';

const text = readFileSync(haproxyFile, 'utf8');
/** What servers answer to what they refuse. */
interface RefusalBody {
  readonly error: { readonly code: string };
}

const parameters = { width: 64, height: 64 };
const [picture] = motionJpegFrames('walkers.mjpeg');

/** Opens streams at the same time. Returns those that were opened; the others must have been refused. */
async function openAtOnce(fleet: Fleet, count: number): Promise<readonly StreamClient[]> {
  const outcomes = await Promise.allSettled(
    Array.from({ length: count }, () => StreamClient.open(fleet.streamUrl, parameters)),
  );
  return outcomes.flatMap((outcome) => {
    if (outcome.status === 'fulfilled') return [outcome.value];
    assert.match(String(outcome.reason), /Unexpected server response: 503/);
    return [];
  });
}

async function closeAll(clients: readonly StreamClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
}

describe('ops/haproxy', () => {
  it(
    'is valid according to HAProxy, for listed servers and for DNS, spread and packed',
    { skip: haproxy.skip },
    () => {
      for (const env of [{}, { MILLRACE_SERVICE: 'nodes.example' }, { MILLRACE_PACKED: '1' }]) {
        assert.equal(
          complaintsOf(haproxy, ['-c', '-f', haproxyFile], { env: { ...process.env, ...env } }),
          null,
        );
      }
    },
  );

  it('names only existing settings, and limits each address as a server does by default', () => {
    // Its own variables are no settings.
    assertKnownSettings(text.replace(/MILLRACE_(CERTIFICATE|PACKED|SERVICE)\b/g, ''));
    assert.match(
      text,
      new RegExp(`sc_conn_cur\\(0\\) gt ${settingsTable.maxConnectionsPerAddress.default} `),
    );
    assert.match(
      text,
      new RegExp(`sc_http_req_rate\\(0\\) gt ${settingsTable.maxConnectsPerMinute.default} `),
    );
  });

  it('keeps streams longer than the server takes to ping', () => {
    const seconds = Number(/timeout tunnel (\d+)s/.exec(text)?.[1]);
    assert.ok(seconds >= 2 * settingsTable.pingSeconds.default);
  });

  it('learns within a second that a server is full or stops', () => {
    assert.ok(Number(/agent-inter (\d+)ms/.exec(text)?.[1]) <= 1000);
  });

  it('keeps the servers that it knows if DNS does not answer: their health is checked anyway', () => {
    for (const failure of ['other', 'refused', 'timeout', 'nx']) {
      const [, time, unit] = new RegExp(`hold ${failure} (\\d+)([hs])`).exec(text) ?? [];
      assert.ok(Number(time) * (unit === 'h' ? 3600 : 1) >= 3600, failure);
    }
  });

  it('refuses in the words of the protocol, to pages too', () => {
    const refusals = [...text.matchAll(/(?:return|http-error) status (429|50\d) content-type (.*)$/gm)];
    const statuses = new Set(refusals.map(([, status]) => status));
    for (const status of ['429', '502', '503', '504']) assert.ok(statuses.has(status), status);
    for (const [, , rest = ''] of refusals) {
      const [, body = ''] = /string '(.*?)'/.exec(rest) ?? [];
      // Which of two codes it is depends on the moment.
      for (const choice of ['$1', '$2']) {
        const { error } = JSON.parse(
          body.replace(/%\[[^\]]*iif\(([^,]*),([^)]*)\)\]/g, choice),
        ) as RefusalBody;
        assert.ok(isErrorCode(error.code), error.code);
      }
      assert.match(rest, /hdr retry-after .* hdr access-control-allow-origin \*/);
    }
  });

  it('keeps the servers that it lists the same for streams and for pages', () => {
    const [streams = '', pages = ''] = text.split(/^backend /m).slice(1);
    const servers = (backend: string): readonly string[] => backend.match(/^ {4}server.*$/gm) ?? [];
    assert.ok(servers(streams).length > 2);
    assert.deepEqual(servers(streams), servers(pages));
  });
});

describe('a fleet behind HAProxy', { skip: haproxy.skip }, () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.start({ slots: 4 });
  });
  beforeEach(() => fleet.haproxy.idle());
  after(() => fleet[Symbol.asyncDispose]());

  it('fills all nodes evenly with streams that arrive at once, and refuses those for which there is no room', async () => {
    const few = await openAtOnce(fleet, 6);
    assert.deepEqual(await fleet.sessions(), [2, 2, 2]);
    const more = await openAtOnce(fleet, 10);
    assert.equal(few.length + more.length, 12);
    assert.deepEqual(await fleet.sessions(), [4, 4, 4]);
    await closeAll([...few, ...more]);
  });

  it('sends a newcomer to the one node that has room', async () => {
    const clients = [...(await openAtOnce(fleet, 12))];
    for (let round = 0; round < 3; round++) {
      await fleet.haproxy.full();
      await clients.shift()?.[Symbol.asyncDispose]();
      await fleet.haproxy.until((servers) => servers.some(({ state }) => state === 'UP'));
      clients.push(await StreamClient.open(fleet.streamUrl, parameters));
      assert.deepEqual(await fleet.sessions(), [4, 4, 4]);
    }
    await closeAll(clients);
  });

  it('says why and when to try again if all servers are full, also to pages', async () => {
    const all = await openAtOnce(fleet, 12);
    await fleet.haproxy.full();
    const answer = await fetch(`${fleet.url}/v1/stream`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '2');
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    const { error } = (await answer.json()) as RefusalBody;
    assert.equal(error.code, 'too_many_sessions');
    assert.equal((await fetch(`${fleet.url}/v1/capabilities`)).status, 200);
    await closeAll(all);
  });

  it('sends single images to the one node that has room for them', async () => {
    assert.ok(picture);
    const leave = await Promise.all(fleet.nodes.slice(1).map(({ url }) => takeImagePlace(url)));
    for (let round = 0; round < 3; round++) {
      assert.equal((await askForImage(fleet.url)).status, 200);
      assert.equal((await sendPicture(fleet.url, picture)).status, 200);
    }
    for (const place of leave) place();
  });

  it('says when to try again if no node has room for an image', async () => {
    const leave = await Promise.all(fleet.nodes.map(({ url }) => takeImagePlace(url)));
    const answer = await askForImage(fleet.url);
    for (const place of leave) place();
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    const { error } = (await answer.json()) as RefusalBody;
    assert.equal(error.code, 'too_many_sessions');
  });

  it('hides metrics and operation', async () => {
    for (const path of ['/metrics', '/v1/admin/overview', '/v1/admin/drain']) {
      assert.equal((await fetch(`${fleet.url}${path}`, { method: 'POST' })).status, 404, path);
    }
  });

  it('is filled node by node if it is packed, so that one without streams can be removed', async () => {
    await using packed = await fleet.anotherHaproxy({ MILLRACE_PACKED: '1' });
    const url = `${packed.url.replace('http', 'ws')}/v1/stream`;
    const clients: StreamClient[] = [];
    for (const sessions of [
      [1, 0, 0],
      [2, 0, 0],
      [3, 0, 0],
      [4, 0, 0],
      [4, 1, 0],
    ]) {
      clients.push(await StreamClient.open(url, parameters));
      assert.deepEqual(await fleet.sessions(), sessions);
    }
    await closeAll(clients);
  });
});
