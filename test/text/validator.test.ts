import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createValidator } from '../../src/text/validator.js';

describe('createValidator', () => {
  it('compiles a schema when it is first used, and never again', () => {
    let reads = 0;
    const schema = {
      get type() {
        reads += 1;
        return 'integer';
      },
    };
    const validate = createValidator<number>(schema);
    assert.equal(reads, 0);
    assert.ok(validate(1));
    const readsOnce = reads;
    assert.ok(readsOnce > 0);
    assert.ok(!validate('1'));
    assert.equal(validate.errors?.[0]?.message, 'must be integer');
    assert.ok(validate(2));
    assert.equal(validate.errors?.length ?? 0, 0);
    assert.equal(reads, readsOnce);
  });

  it('fills in defaults, unless they only describe', () => {
    const schema = { type: 'object', properties: { steps: { type: 'integer', default: 4 } } };
    const [filled, described] = [{}, {}];
    assert.ok(createValidator(schema)(filled));
    assert.ok(createValidator(schema, { useDefaults: false })(described));
    assert.deepEqual([filled, described], [{ steps: 4 }, {}]);
  });

  it('refuses a schema with a keyword that is unknown or has a value of a wrong type', () => {
    assert.throws(() => createValidator({ type: 'integer', least: 1 })(1), /unknown keyword: "least"/);
    assert.throws(() => createValidator({ type: 'integer', minimum: '1' })(1), /minimum value must be/);
  });
});
