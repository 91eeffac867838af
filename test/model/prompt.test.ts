import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parsePrompt } from '../../src/model/prompt.js';

/** Returns the parts of a prompt with their weights, to six digits. */
function parsed(prompt: string): readonly (readonly [string, number])[] {
  return parsePrompt(prompt).map(({ text, weight }) => [text, Number(weight.toFixed(6))]);
}

describe('parsePrompt', () => {
  const cases: readonly [string, readonly (readonly [string, number])[]][] = [
    ['', [['', 1]]],
    ['()', [['', 1]]],
    ['normal text', [['normal text', 1]]],
    [
      'an (important) word',
      [
        ['an ', 1],
        ['important', 1.1],
        [' word', 1],
      ],
    ],
    [
      'a (red:1.3) [dull] ((shiny)) car',
      [
        ['a ', 1],
        ['red', 1.3],
        [' ', 1],
        ['dull', 0.909091],
        [' ', 1],
        ['shiny', 1.21],
        [' car', 1],
      ],
    ],
    ['(unbalanced', [['unbalanced', 1.1]]],
    [
      '[open (twice',
      [
        ['open ', 0.909091],
        ['twice', 1],
      ],
    ],
    ['closed) too] early:1.2)', [['closed) too] early:1.2)', 1]]],
    [String.raw`\(literal\]`, [['(literal]', 1]]],
    [String.raw`a\b \\ c\(`, [[String.raw`a\b \ c(`, 1]]],
    ['(unnecessary)(parens)', [['unnecessaryparens', 1.1]]],
    [
      'a (cat : 1.5 )',
      [
        ['a ', 1],
        ['cat ', 1.5],
      ],
    ],
    [
      '(a:.5)(b:-1)(c:+2)(d:3.)',
      [
        ['a', 0.5],
        ['b', -1],
        ['c', 2],
        ['d', 3],
      ],
    ],
    [
      '(ratio 3:4) (9:x) (1.2.3:1.2.3)',
      [
        ['ratio 3', 4],
        [' ', 1],
        ['9:x', 1.1],
        [' ', 1],
        ['1.2.3:1.2.3', 1.1],
      ],
    ],
    [
      'a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).',
      [
        ['a ', 1],
        ['house', 1.573],
        [' ', 1.1],
        ['on', 1],
        [' a ', 1.1],
        ['hill', 0.55],
        [', sun, ', 1.1],
        ['sky', 1.4641],
        ['.', 1.1],
      ],
    ],
  ];
  for (const [prompt, segments] of cases) {
    it(`reads ${JSON.stringify(prompt)}`, () => assert.deepEqual(parsed(prompt), segments));
  }

  it('leaves any text without brackets and backslashes unchanged', () => {
    const plain = fc.string({ unit: 'binary' }).filter((text) => !/[()[\]\\]/.test(text));
    fc.assert(fc.property(plain, (text) => assert.deepEqual(parsePrompt(text), [{ text, weight: 1 }])));
  });

  it('restores any escaped text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const escaped = text.replaceAll(/[()[\]\\]/g, String.raw`\$&`);
        assert.deepEqual(parsePrompt(escaped), [{ text, weight: 1 }]);
      }),
    );
  });

  it('multiplies nested weights', () => {
    interface Node {
      readonly written: string;
      readonly weights: readonly number[];
    }
    const times = (
      { written, weights }: Node,
      factor: number,
      [open, close]: readonly [string, string],
    ): Node => ({
      written: `${open}${written}${close}`,
      weights: weights.map((weight) => weight * factor),
    });
    const { tree } = fc.letrec<{ tree: Node; list: Node }>((tie) => ({
      list: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }).map((nodes) => ({
        written: nodes.map(({ written }) => written).join(''),
        weights: nodes.flatMap(({ weights }) => weights),
      })),
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constant({ written: 'x', weights: [1] }),
        tie('list').map((node) => times(node, 1.1, ['(', ')'])),
        tie('list').map((node) => times(node, 1 / 1.1, ['[', ']'])),
        fc
          .tuple(tie('list'), fc.integer({ min: 1, max: 19 }))
          .map(([node, tenths]) => times(node, tenths / 10, ['(', `:${tenths / 10})`])),
      ),
    }));
    fc.assert(
      fc.property(tree, ({ written, weights }) => {
        const got = parsePrompt(written).flatMap(({ text, weight }) => Array.from(text, () => weight));
        assert.equal(got.length, weights.length, written);
        got.forEach((weight, i) => {
          const wanted = Math.min(100, weights[i] ?? 0);
          assert.ok(
            Math.abs(weight - wanted) <= 1e-9 * Math.abs(wanted),
            `${written}: ${weight}, not ${wanted}`,
          );
        });
      }),
    );
  });

  it('accepts any string: finite weights, no empty parts, no neighbours of equal weight', () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('(', ')', '[', ']', '\\', ':', '1.2', ':1.4)', 'a', ' '), { maxLength: 60 })
        .map((parts) => parts.join('')),
      fc.nat(3000).map((depth) => `${'('.repeat(depth)}a`),
    );
    fc.assert(
      fc.property(any, (prompt) => {
        const segments = parsePrompt(prompt);
        assert.ok(segments.length > 0);
        for (const [i, { text, weight }] of segments.entries()) {
          assert.ok(Math.abs(weight) <= 100);
          assert.ok(text !== '' || segments.length === 1);
          assert.notEqual(weight, segments[i + 1]?.weight);
        }
      }),
    );
  });
});
