import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPattern, namesOf, numberedName } from '../../../src/cli/run/pattern.js';

describe('patterns of picture names', () => {
  it('fit numbers and any text, and nothing else', () => {
    const fits = (pattern: string, name: string): boolean => namesOf(pattern).test(name);
    assert.ok(fits('frames/%04d.png', '0012.png'));
    assert.ok(fits('frames/a%d.png', 'a7.png'));
    assert.ok(fits('frames/*.jpg', 'any thing.jpg'));
    assert.ok(!fits('frames/%04d.png', '0012-png'), 'a dot is a dot');
    assert.ok(!fits('frames/%d.png', 'x1.png'));
    assert.ok(!fits('frames/(%d)+.png', '11.png'));
    assert.ok(fits('frames/(%d)+.png', '(1)+.png'));
  });

  it('are told from plain names by the last part of the path', () => {
    assert.ok(isPattern('frames/%d.png'));
    assert.ok(isPattern('*.jpg'));
    assert.ok(!isPattern('100%/a.png'));
    assert.ok(!isPattern('a*b/c.png'));
  });

  it('give names with leading zeros, if they have one place for a number', () => {
    assert.equal(numberedName('out/%04d.png', 7), '0007.png');
    assert.equal(numberedName('out/a-%d.png', 12), 'a-12.png');
    assert.equal(numberedName('out/%02d.png', 123), '123.png');
    assert.equal(numberedName('out/*.png', 1), null);
    assert.equal(numberedName('out/%d-%d.png', 1), null);
    assert.equal(numberedName('out/a.png', 1), null);
  });
});
