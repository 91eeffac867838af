import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyEdit, possibleEdits } from './edits.js';
import { mutators } from './mutators.js';

/** Returns the mutants of a piece of code, as texts. */
function mutate(code: string): readonly string[] {
  return possibleEdits(code, mutators).map((edit) => applyEdit(code, edit));
}

const cases: Readonly<Record<string, { readonly code: string; readonly mutants: readonly string[] }>> = {
  arithmetic: { code: 'f = a + b / c', mutants: [';', 'f = a - b / c', 'f = a + b * c', 'f = (a)'] },
  'boundaries and directions': { code: 'f = a < b', mutants: [';', 'f = a <= b', 'f = a >= b'] },
  equality: { code: 'const f = a === b', mutants: ['const f = a !== b'] },
  operands: { code: 'const f = a && b', mutants: ['const f = (a)', 'const f = (b)'] },
  fallbacks: {
    code: 'const f = a?.b ?? c',
    mutants: ['const f = (a?.b)', 'const f = (c)', 'const f = a.b ?? c'],
  },
  'optional calls': { code: 'const f = a?.(b)', mutants: ['const f = a(b)'] },
  signs: {
    code: 'const f = -a || !b',
    mutants: ['const f = (-a)', 'const f = (!b)', 'const f = (a) || !b', 'const f = -a || (b)'],
  },
  updates: { code: 'for (;;) a++', mutants: ['for (;;) ;', 'for (;;) a--'] },
  assignments: { code: 'f(a += b)', mutants: [';', 'f(a -= b)'] },
  branches: {
    code: 'if (a) b(); else c()',
    mutants: [
      'if (true) b(); else c()',
      'if (false) b(); else c()',
      'if (a) ; else c()',
      'if (a) b(); else ;',
    ],
  },
  choices: { code: 'const f = a ? b : c', mutants: ['const f = true ? b : c', 'const f = false ? b : c'] },
  loops: { code: 'while (a) b', mutants: ['while (false) b', 'while (a) ;'] },
  'small numbers': { code: 'const f = 0', mutants: ['const f = 1', 'const f = (-1)'] },
  'large numbers': { code: 'const f = 1000', mutants: ['const f = 0'] },
  booleans: { code: 'const f = true', mutants: ['const f = false'] },
  names: {
    code: "const f = a['b'] + 'c'",
    mutants: [
      "const f = a['b'] - 'c'",
      "const f = (a['b'])",
      "const f = a[''] + 'c'",
      "const f = a['b'] + ''",
    ],
  },
  'smaller and larger': {
    code: 'const f = Math.min(a, b)',
    mutants: ['const f = (a)', 'const f = (b)', 'const f = Math.max(a, b)'],
  },
  quantifiers: { code: 'const f = a.some(b)', mutants: ['const f = a.every(b)'] },
};

describe('mutators', () => {
  for (const [name, { code, mutants }] of Object.entries(cases)) {
    it(`change ${name}`, () => {
      assert.deepEqual([...mutate(code)].sort(), [...mutants].sort());
    });
  }

  it('do not change texts for people, names of modules and fields, or super', () => {
    const code = `
      import a from 'b';
      export * from 'c';
      const d = { 'e': f, title: 'Word' };
      throw new Error('g h');
      const k = 'l m' + n + ' o';
      class I extends J { constructor() { super(); } }
    `;
    assert.deepEqual(mutate(code), []);
  });

  it('describe what they change', () => {
    const [edit] = possibleEdits('const f = a <\n  b', mutators);
    assert.deepEqual([edit.before, edit.after], ['a < b', 'a <= b']);
  });
});
