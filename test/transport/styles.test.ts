import { fetchStyles } from '@millrace/client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddedModel } from '../support/engine.js';
import { startServer } from '../support/server.js';

test('GET /v1/styles lists what prompts can name, with what suits each, for pages of every origin', async () => {
  await using server = await startServer({ model: embeddedModel });
  const response = await fetch(`${server.url}/v1/styles`);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const { styles, moods } = await fetchStyles(server.url);
  const oil = styles.find(({ prompt }) => prompt === 'oil painting');
  assert.ok(oil?.description && oil.steps !== undefined && oil.strength !== undefined);
  assert.ok(moods.some(({ prompt }) => prompt === 'warm colors'));
});

test('GET /v1/styles is empty for a model that takes any words', async () => {
  await using server = await startServer();
  assert.deepEqual(await fetchStyles(server.url), { styles: [], moods: [] });
});
