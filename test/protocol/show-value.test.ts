import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { showValue } from '@millrace/protocol';

describe('showValue', () => {
  it('shows values as JSON, and numbers that JSON lacks', () => {
    assert.equal(showValue({ a: [1, 'b', null] }), '{"a":[1,"b",null]}');
    assert.deepEqual([showValue(Number.NaN), showValue(-Infinity)], ['NaN', '-Infinity']);
    assert.deepEqual([showValue([].at(0)), showValue(null)], ['undefined', 'null']);
    assert.equal(showValue('x'.repeat(100)), `"${'x'.repeat(59)}... (102 characters)`);
  });

  it('names bytes wherever they are: a picture in a wrong place would stop the server for seconds', () => {
    const bytes = Buffer.alloc(8 << 20);
    const begin = performance.now();
    assert.equal(showValue(bytes), 'binary data');
    assert.equal(
      showValue({ text: [bytes, new Uint8Array(bytes)] }),
      '{"text":["binary data","binary data"]}',
    );
    assert.ok(performance.now() - begin < 500);
  });

  it('shows deep nesting as far as four levels', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 50_000; depth++) deep = [deep];
    assert.equal(showValue(deep), '[[[["..."]]]]');
  });
});
