import { isNode, type Mutator, type Path, type SyntaxNode } from './edits.js';

/** The replacements of an operator: boundaries are moved and directions reversed. */
const otherOperators: Readonly<Record<string, readonly string[]>> = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '==': ['!='],
  '!=': ['=='],
  '+=': ['-='],
  '-=': ['+='],
  '*=': ['/='],
  '/=': ['*='],
  '|=': ['&='],
  '&=': ['|='],
  '??=': ['='],
  '||=': ['='],
  '&&=': ['='],
  '++': ['--'],
  '--': ['++'],
};

const otherMethods: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  round: 'floor',
  some: 'every',
  every: 'some',
  push: 'unshift',
  unshift: 'push',
  shift: 'pop',
  pop: 'shift',
};

/** A number up to this is likely a count or an index, where one more matters; above, only its presence is tested. */
const smallNumber = 10;

/** The most characters of the code around a constant that the report shows with it. */
const longestShown = 80;

/** Returns whether texts are joined of which one has spaces, and so is for people. */
function joinsText({ operator, left, right }: SyntaxNode): boolean {
  return operator === '+' && [left, right].some((side) => isNode(side) && isText(side));
}

function isText({ type, value, quasis }: SyntaxNode): boolean {
  if (type !== 'TemplateLiteral') return type === 'Literal' && typeof value === 'string' && /\s/.test(value);
  return /\s/.test(JSON.stringify(quasis));
}

/** `a + b` becomes `a - b`, `i++` becomes `i--`, `-a` becomes `a`. */
const operators: Mutator = (node, _path, text, replace) => {
  const { type, operator, left, right, argument, prefix } = node;
  if (typeof operator !== 'string') return;
  if (type === 'UnaryExpression' && isNode(argument)) {
    if (['-', '!', '~'].includes(operator)) replace(node, node, `(${code(text, argument)})`);
    return;
  }
  if (joinsText(node)) return;
  const others = otherOperators[operator] ?? [];
  let from = node.start;
  if (isNode(left)) from = left.end;
  else if (isNode(argument) && prefix !== true) from = argument.end;
  const to = isNode(right) ? right.start : node.end;
  const start = text.indexOf(operator, from);
  if (start < 0 || start >= to) return;
  for (const other of others) replace(node, { start, end: start + operator.length }, other);
};

/** `a && b` becomes `a` or `b`; so do `a || b` and `a ?? b`. `a + b` and `a - b` become `a`. */
const operands: Mutator = (node, _path, text, replace) => {
  const { type, operator, left, right } = node;
  if (!isNode(left) || !isNode(right) || joinsText(node)) return;
  const adds = type === 'BinaryExpression' && (operator === '+' || operator === '-');
  if (adds || type === 'LogicalExpression') replace(node, node, `(${code(text, left)})`);
  if (type === 'LogicalExpression') replace(node, node, `(${code(text, right)})`);
};

/** A condition always or never holds: the branches of `if` and `? :` are swapped or lost. */
const conditions: Mutator = (node, _path, _text, replace) => {
  const { type, test } = node;
  if (!isNode(test) || (test.type === 'Literal' && typeof test.value === 'boolean')) return;
  if (type === 'IfStatement' || type === 'ConditionalExpression') {
    const shown = type === 'IfStatement' ? test : node;
    for (const value of ['true', 'false']) replace(shown, test, value);
  }
  if (type === 'WhileStatement' || type === 'ForStatement' || type === 'DoWhileStatement') {
    replace(test, test, 'false');
  }
};

/** Numbers, booleans and names. Texts for people and names of fields and modules stay unchanged. */
const constants: Mutator = (node, path, _text, replace) => {
  if (node.type !== 'Literal') return;
  const { value } = node;
  const parent = path.at(-1) ?? node;
  const shown = parent.end - parent.start <= longestShown ? parent : node;
  if (typeof value === 'boolean') replace(shown, node, String(!value));
  if (typeof value === 'number') {
    const others = Number.isInteger(value) && value <= smallNumber ? [value + 1, value - 1] : [0];
    for (const other of others) replace(shown, node, other < 0 ? `(${other})` : String(other));
  }
  if (typeof value === 'string' && value !== '' && !/\s/.test(value) && !isName(node, path)) {
    replace(shown, node, "''");
  }
};

/** `Math.min(a, b)` becomes `Math.max(a, b)`, `a` or `b`; `a.some(b)` becomes `a.every(b)`. */
const methods: Mutator = (node, _path, text, replace) => {
  const { type, callee } = node;
  if (type !== 'CallExpression' || !isNode(callee) || callee.type !== 'MemberExpression') return;
  const { property, computed } = callee;
  if (!isNode(property) || computed === true || typeof property.name !== 'string') return;
  const other = Object.hasOwn(otherMethods, property.name) ? otherMethods[property.name] : undefined;
  if (other !== undefined) replace(node, property, other);
  if (!['min', 'max'].includes(property.name) || !Array.isArray(node.arguments)) return;
  for (const argument of node.arguments.filter(isNode)) {
    if (argument.type !== 'SpreadElement') replace(node, node, `(${code(text, argument)})`);
  }
};

/** `a?.b` becomes `a.b`. */
const optionalChains: Mutator = (node, _path, text, replace) => {
  if (node.optional !== true) return;
  const object = isNode(node.object) ? node.object : node.callee;
  if (!isNode(object)) return;
  const start = text.indexOf('?.', object.end);
  const isDot = node.type === 'MemberExpression' && node.computed !== true;
  replace(node, { start, end: start + 2 }, isDot ? '.' : '');
};

/** A statement with an effect is removed. */
const statements: Mutator = (node, path, _text, replace) => {
  const { expression } = node;
  if (node.type !== 'ExpressionStatement' || !isNode(expression) || typeof node.directive === 'string')
    return;
  const { callee } = expression;
  if (isNode(callee) && callee.type === 'Super') return;
  if (path.length > 0) replace(node, node, ';');
};

export const mutators: readonly Mutator[] = [
  operators,
  operands,
  conditions,
  constants,
  methods,
  optionalChains,
  statements,
];

function code(text: string, { start, end }: SyntaxNode): string {
  return text.slice(start, end);
}

function isName(node: SyntaxNode, path: Path): boolean {
  const parent = path.at(-1);
  if (parent === undefined || /^(Import|Export)/.test(parent.type)) return true;
  if (parent.key === node) return parent.computed !== true;
  // A text of a JSON Schema is for people.
  return isNode(parent.key) && parent.key.name === 'title';
}
