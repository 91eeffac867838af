import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createApp } from '../../src/app.js';
import { readSettings } from '../../src/settings/settings.js';
import { OriginLog } from '../../src/transport/origin-log.js';
import { tinyModel } from '../support/engine.js';

test('a refused origin is logged once, and made-up origins cannot flood the log', () => {
  const logged: unknown[] = [];
  const clients = { of: () => '203.0.113.7' };
  const origins = new OriginLog({ warn: (fields: unknown) => logged.push(fields) }, clients);
  const from = (headers: IncomingMessage['headers']): IncomingMessage => ({ headers }) as IncomingMessage;
  const page = { origin: 'https://page.example', host: 'localhost:8420' };
  origins.refused(from(page));
  origins.refused(from(page));
  assert.deepEqual(logged, [{ ...page, address: '203.0.113.7' }]);
  for (let count = 0; count < 1000; count++) origins.refused(from({ origin: `https://${count}.example` }));
  assert.equal(logged.length, 100);
});

test('the log of a server names the refused origin and the setting', async () => {
  const lines: string[] = [];
  const flags = { port: 0, cacheDirectory: '', threads: 1, model: tinyModel, drainSeconds: 0, sloFps: 0 };
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  await using app = await createApp(readSettings({ flags }), log);
  const { port } = await app.listen();
  for (const origin of ['https://page.example', 'https://page.example', 'null']) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/stream`, 'millrace.v1', { origin });
    await new Promise((resolve) => socket.once('error', resolve));
  }
  for (const origin of ['https://page.example', 'https://images.example']) {
    await fetch(`http://127.0.0.1:${port}/v1/txt2img`, { method: 'POST', headers: { origin } });
  }
  const origins = lines
    .filter((line) => line.includes('allowedOrigins'))
    .map((line) => (JSON.parse(line) as { origin: string }).origin);
  assert.deepEqual(origins, ['https://page.example', 'null', 'https://images.example']);
});
