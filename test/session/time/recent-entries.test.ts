import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RecentEntries } from '../../../src/session/time/recent-entries.js';

it('an entry is kept while it differs from a fresh one', () => {
  const old = new Set<number>();
  const entries = new RecentEntries<number>((entry) => old.has(entry));
  let made = 0;
  const of = (key: string): number => entries.of(key, () => (made += 1));
  assert.deepEqual([of('a'), of('b'), of('a')], [1, 2, 1]);
  old.add(1);
  assert.deepEqual([of('b'), of('a'), of('b')], [2, 3, 2]);
});

it('sixteen entries are checked at a time, all in turn', () => {
  const looked: number[] = [];
  const entries = new RecentEntries<number>((entry) => {
    looked.push(entry);
    return false;
  });
  for (let key = 0; key < 40; key++) entries.of(String(key), () => key);
  looked.length = 0;
  for (let time = 0; time < 5; time++) entries.of('0', () => 0);
  assert.equal(looked.length, 80);
  for (let at = 0; at < 80; at += 16) assert.equal(new Set(looked.slice(at, at + 16)).size, 16);
  assert.equal(new Set(looked.slice(0, 40)).size, 40, 'none twice before all were checked');
});

it('entries that equal a fresh one are forgotten, however many there are', () => {
  let asked = 0;
  const entries = new RecentEntries<number>(() => {
    asked += 1;
    return true;
  });
  for (let key = 0; key < 100; key++) entries.of(String(key), () => key);
  // Each is forgotten at the next check.
  assert.equal(asked, 99);
});
