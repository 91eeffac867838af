import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderStyles } from '../../src/cli/styles.js';
import { runMillrace, startMillrace } from '../support/command.js';
import { tinyModel } from '../support/engine.js';

const about = { model: 'a-model', description: 'Paints.', any_words: false, moods: [] };
const sketch = { name: 'Pencil', prompt: 'pencil sketch', description: 'Graphite on paper' };

describe('millrace styles', () => {
  it('lists what the embedded model knows, with what suits it', async () => {
    const { code, stdout } = await startMillrace(['styles', '--json']).ended;
    assert.equal(code, 0);
    const list = JSON.parse(stdout) as Parameters<typeof renderStyles>[0];
    assert.equal(list.any_words, false);
    const oil = list.styles.find(({ prompt }) => prompt === 'oil painting');
    assert.ok(oil?.description && oil.steps && oil.strength);
    assert.ok(list.moods.length > 10);
    const text = renderStyles(list);
    for (const { prompt } of [...list.styles, ...list.moods])
      assert.ok(text.includes(`\n  ${prompt} `), prompt);
  });

  it('says that a model with an ordinary text encoder takes any words', async () => {
    const { code, stdout } = await runMillrace(['styles', '--model', tinyModel]);
    assert.equal(code, 0);
    assert.match(stdout, /\n\nThis model takes any words\.\n$/);
    const suggestions = renderStyles({ ...about, any_words: true, styles: [sketch] });
    assert.match(
      suggestions,
      /^This model takes any words\. Prompts that suit it:\n {2}pencil sketch {2}Graphite/m,
    );
  });

  it('leaves out what the model does not say', () => {
    const styles = [sketch, { name: 'Oil', prompt: 'oil', steps: 2, strength: 0.5 }];
    assert.equal(
      renderStyles({ ...about, styles }),
      [
        'a-model: Paints.',
        '',
        'Styles:',
        '  pencil sketch  Graphite on paper',
        '  oil            (steps 2, strength 0.5)',
        '',
      ].join('\n'),
    );
  });

  it('names a folder that is no model in one line', async () => {
    const { code, stderr } = await runMillrace(['styles', '--model', '/nowhere/at/all']);
    assert.equal(code, 1);
    assert.match(stderr, /^millrace: \/nowhere.*no such folder.*\n$/);
  });
});
