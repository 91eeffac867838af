// The tables of PROTOCOL.md, from protocol/src.
import { clientMessages, drops, errors, parameterRoles, serverMessages } from '../../protocol/dist/index.js';
import { Failure, say } from './lib.mjs';

const { limits, understood } = serverMessages.ready.fields;
const { timings, times } = serverMessages.result.fields;

/** What section 2 calls the kinds of fields, where it has another word. */
const typeWords = { parameters: 'map', changes: 'map', code: 'text', reason: 'text' };

/** Every table by the name in the comment above it: `<!-- table: NAME -->`. */
const tables = {
  ...Object.fromEntries(
    Object.entries({ ...clientMessages, ...serverMessages }).map(([type, { fields }]) => [
      type,
      fieldsTable(fields),
    ]),
  ),
  limits: fieldsTable(limits.fields),
  understood: fieldsTable(understood.fields),
  timings: fieldsTable(timings.fields),
  times: fieldsTable(times.fields),
  drops: table(
    ['reason', 'why the frame has no result'],
    Object.entries(drops).map(([reason, why]) => [`\`${reason}\``, why]),
  ),
  roles: table(
    ['role', 'what the parameter acts on'],
    Object.entries(parameterRoles).map(([role, meaning]) => [`\`${role}\``, meaning]),
  ),
  errors: table(
    ['code', 'close code', 'status', 'retry', 'meaning'],
    Object.entries(errors).map(([code, { close = '-', status, retryable, meaning }]) => [
      `\`${code}\``,
      close,
      status,
      retryable ? 'yes' : 'no',
      meaning,
    ]),
  ),
};

/** Returns PROTOCOL.md with its tables as they must be; all other text stays. */
export function protocolDocument(present) {
  const missing = new Set(Object.keys(tables));
  const text = present.replaceAll(/^<!-- table: (\w+) -->\n(\s*\|.*\n)*/gm, (marker, name) => {
    if (!missing.delete(name)) fail(`PROTOCOL.md has an unknown or repeated table: ${name}`);
    return `<!-- table: ${name} -->\n\n${tables[name]}\n`;
  });
  if (missing.size > 0) fail(`PROTOCOL.md lacks the comment <!-- table: ${[...missing].join(', ')} -->`);
  return text;
}

function fail(what) {
  say(what);
  throw new Failure();
}

function fieldsTable(fields) {
  return table(
    ['field', 'type', 'meaning'],
    Object.entries(fields).map(([name, { kind, meaning, optional, most }]) => [
      `\`${name}\`${optional ? '?' : ''}`,
      typeWords[kind] ?? kind,
      most === undefined ? meaning : `${meaning}; at most ${count(most)}`,
    ]),
  );
}

function count(value) {
  return value < 10_000 ? String(value) : value.toLocaleString('en-US');
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
