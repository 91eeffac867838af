import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ResultWindow } from '../../../src/session/frames/result-window.js';

describe('ResultWindow', () => {
  const sendOne = (window: ResultWindow): number => {
    window.reserve();
    return window.send(0);
  };

  it('closes at its limit and opens with an acknowledgement', () => {
    const window = new ResultWindow(2);
    assert.equal(sendOne(window), 1);
    assert.equal(window.open, true);
    assert.equal(sendOne(window), 2);
    assert.equal(window.open, false);
    assert.equal(window.acknowledge(1, 0), 0);
    assert.equal(window.open, true);
  });

  it('counts results in preparation until they are cancelled', () => {
    const window = new ResultWindow(1);
    window.reserve();
    assert.equal(window.open, false);
    window.cancel();
    assert.equal(window.open, true);
    assert.equal(sendOne(window), 1);
    assert.equal(window.open, false, 'a cancelled result counts as zero, not as minus one');
  });

  it('accepts one acknowledgement for several results, and old ones again', () => {
    const window = new ResultWindow(3);
    for (const sequence of [1, 2, 3]) assert.equal(sendOne(window), sequence);
    assert.equal(window.acknowledge(3, 0), 0);
    assert.equal(window.acknowledge(1, 0), 0);
    for (const sequence of [4, 5]) assert.equal(sendOne(window), sequence);
    assert.equal(window.open, true, 'an old acknowledgement changes nothing');
    assert.equal(sendOne(window), 6);
    assert.equal(window.open, false);
  });

  it('refuses an acknowledgement of an unsent result', () => {
    const window = new ResultWindow(1);
    assert.equal(window.acknowledge(0, 0), 0);
    assert.equal(window.acknowledge(1, 0), null);
    assert.equal(window.open, true);
  });

  it('returns for how long it was closed, once it opens', () => {
    const window = new ResultWindow(2);
    for (const now of [30, 60]) {
      window.reserve();
      window.send(now);
    }
    assert.equal(window.open, false);
    assert.equal(window.acknowledge(0, 310), 0, 'an old one opens nothing');
    assert.equal(window.acknowledge(1, 360), 300);
    assert.equal(window.open, true);
    assert.equal(window.acknowledge(2, 370), 0, 'it was open');
    for (const now of [400, 410]) {
      window.reserve();
      window.send(now);
    }
    assert.equal(window.acknowledge(4, 415), 5, 'from the result that closed it');
  });
});
