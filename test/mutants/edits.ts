import { parseSync, visitorKeys } from 'oxc-parser';

/** A small fault that can be put into a text of JavaScript. */
export interface Edit {
  /** Offsets into the text. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** The change, in code: `a < b` becomes `a <= b`. */
  readonly before: string;
  readonly after: string;
}

/** A node of the syntax tree (ESTree). Which fields it has depends on its type. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** The nodes around a node, the innermost last. */
export type Path = readonly SyntaxNode[];

/** Replaces `part` of `whole`, which is shown to people, by other code. */
type Replace = (whole: SyntaxNode, part: { start: number; end: number }, code: string) => void;

export type Mutator = (node: SyntaxNode, path: Path, text: string, replace: Replace) => void;

/** Returns all edits of a module that these mutators make, in the order of the text. */
export function possibleEdits(text: string, mutators: readonly Mutator[]): readonly Edit[] {
  const { program, errors } = parseSync('module.js', text);
  if (errors.length > 0) throw new SyntaxError(errors[0].message);
  const edits: Edit[] = [];
  const replace: Replace = (whole, { start, end }, code) => {
    const before = text.slice(whole.start, whole.end);
    const after = text.slice(whole.start, start) + code + text.slice(end, whole.end);
    if (before !== after) {
      edits.push({ start, end, replacement: code, before: oneLine(before), after: oneLine(after) });
    }
  };
  const visit = (node: SyntaxNode, path: Path): void => {
    for (const mutator of mutators) mutator(node, path, text, replace);
    for (const child of children(node)) visit(child, [...path, node]);
  };
  visit(program as unknown as SyntaxNode, []);
  return edits.sort((a, b) => a.start - b.start);
}

export function applyEdit(text: string, { start, end, replacement }: Edit): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function children(node: SyntaxNode): readonly SyntaxNode[] {
  return (visitorKeys[node.type] ?? []).flatMap((key) => node[key]).filter(isNode);
}

function oneLine(code: string): string {
  return code.replaceAll(/\s+/g, ' ').trim();
}
