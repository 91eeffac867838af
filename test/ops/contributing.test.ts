import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { repositoryRoot } from '../support/reference.js';

const text = readFileSync(join(repositoryRoot, 'CONTRIBUTING.md'), 'utf8');
const [, house = ''] = /^## The house\n([\s\S]*?)^## /m.exec(text) ?? [];
const [, drawing = ''] = /^```\n([\s\S]*?)^```$/m.exec(house) ?? [];

const below = readdirSync(join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' }).map(
  (path) => `src/${path.split(sep).join('/')}`,
);
const folders = below.filter((path) => !/\.\w+$/.test(path));

describe('the map of the house in CONTRIBUTING.md', () => {
  it('has every folder of src, but for parts of the smaller ones', () => {
    // Commands, downloads and the like are the business of their folder.
    const rooms = folders.filter((path) => !/^src\/(?:cli|model|video|diffusion)\//.test(path));
    const missing = rooms.filter((path) => {
      const name = path.split('/').at(-1) ?? '';
      return !new RegExp(`(?:^| )(?:${path}|${name}/)(?= |$)`, 'm').test(drawing);
    });
    assert.deepEqual(missing, []);
  });

  it('names files that are there', () => {
    const named = house.match(/\b[a-z][\w.-]*(?:\/[\w.-]*\w)+/g) ?? [];
    assert.ok(named.length > 20, `${named.length}`);
    const missing = named.filter((name) => {
      const ends = [`/${name}`, `/${name}.ts`];
      return (
        !existsSync(join(repositoryRoot, name)) &&
        !below.some((path) => ends.some((end) => path.endsWith(end)))
      );
    });
    assert.deepEqual(missing, []);
  });
});
