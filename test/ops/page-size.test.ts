import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { repositoryRoot } from '../support/reference.js';

const mostBytes = 100_000;

test('the JavaScript of the page is below 100 KB gzipped', () => {
  const assets = join(repositoryRoot, 'clients/web/dist/assets');
  // Only the dashboard draws charts with a library.
  const scripts = readdirSync(assets).filter((name) => /^(?!dashboard).*\.js$/.test(name));
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);
  assert.ok(scripts.length > 0 && bytes < mostBytes, `${bytes} bytes`);
});
