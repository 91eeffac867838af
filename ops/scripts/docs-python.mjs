// The messages and errors that the Python client knows, from protocol/src, formatted as ruff does.
import { dropReasons, errors, serverMessages, subprotocol } from '../../protocol/dist/index.js';

const width = 120;

/** Classes whose name is not that of the message, and their bases. */
const classNames = { result: 'Frame', error: 'Failure' };
const bases = { Frame: 'Picture' };
/** Attributes that do not have the name of the field: `from` is a keyword, and `session_limits` is in use. */
const attributeNames = { 'updated.from': 'from_frame', 'authenticated.limits': 'session_limits' };

const types = {
  text: 'str',
  code: 'str',
  reason: 'str',
  number: 'float',
  'number or nil': 'float | None',
  count: 'int',
  boolean: 'bool',
  binary: 'bytes',
  'map of binary': 'Mapping[str, bytes]',
  'map of numbers': 'Mapping[str, float]',
  parameters: 'Parameters',
};

/** Returns clients/python/src/millrace/_generated.py. */
export function pythonMessages() {
  const messages = Object.entries(serverMessages);
  const { limits, understood } = serverMessages.ready.fields;
  return `"""The messages and errors of the protocol. Generated from protocol/src by \`\`npm run docs\`\`: change them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .images import Picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from .wire import Fields

SUBPROTOCOL = "${subprotocol}"

DROP_REASONS = (
${dropReasons.map((reason) => `    "${reason}",\n`).join('')})


class ErrorDefinition(NamedTuple):
    """The effect of an error on the connection, and whether to try again."""

    close: int | None
    """WebSocket close code if the error ends the connection."""
    retryable: bool
    """Whether the same request may succeed later, unchanged."""


SERVER_ERRORS: dict[str, ErrorDefinition] = {
${Object.entries(errors).map(errorLine).join('')}}
"""The catalogue of the protocol."""

Parameters: TypeAlias = Mapping[str, Any]
"""Parameters of a stream by name: \`\`GET /v1/capabilities\`\` has their schema."""


${classOf('limits', limits)}

${classOf('understood', understood)}

${messages.map(([type, message]) => classOf(type, message)).join('\n\n')}

${union(
  'ServerMessage',
  messages.map(([type]) => classNameOf(type)),
)}


${readerOf('limits', limits)}

${readerOf('understood', understood)}

${messages.map(([type, message]) => readerOf(type, message)).join('\n\n')}

READERS: dict[str, Callable[[Fields], ServerMessage]] = {
${messages.map(([type]) => `    "${type}": _read_${type},\n`).join('')}}
"""Functions that read and check the fields of a message, by its type."""
`;
}

function errorLine([code, { close = 'None', retryable }]) {
  return `    "${code}": ErrorDefinition(${close}, retryable=${retryable ? 'True' : 'False'}),\n`;
}

function classNameOf(type) {
  return classNames[type] ?? type[0].toUpperCase() + type.slice(1);
}

/** Returns a data class. Optional fields come last: they have defaults. */
function classOf(type, { meaning, fields }) {
  const name = classNameOf(type);
  const base = bases[name] === undefined ? '' : `(${bases[name]})`;
  const all = Object.entries(fields);
  const ordered = [false, true].flatMap((last) =>
    all.filter(([, { optional = false }]) => optional === last),
  );
  const attributes = ordered.map(([field, definition]) => {
    const annotation = `${typeOf(field, definition)}${definition.optional ? ' | None = None' : ''}`;
    return `    ${attributeOf(type, field)}: ${annotation}\n${docstring(describe(definition))}`;
  });
  return `@dataclass(frozen=True)
class ${name}${base}:
${docstring(plain(meaning).replace(/[^.]$/, '$&.'))}
${attributes.join('')}`;
}

function attributeOf(type, field) {
  return attributeNames[`${type}.${field}`] ?? field;
}

/** Whether all fields of a map are numbers that are never absent. */
function holdsNumbers({ fields }) {
  return Object.values(fields).every(({ kind, optional }) => kind === 'number' && !optional);
}

function typeOf(field, definition) {
  if (definition.kind === 'list') return `tuple[${classNameOf(field)}, ...]`;
  if (definition.kind !== 'map') return types[definition.kind];
  return holdsNumbers(definition) ? 'Mapping[str, float]' : classNameOf(field);
}

function readerOf(type, { fields }) {
  const lines = Object.entries(fields).map(([field, definition]) => {
    const line = `        ${attributeOf(type, field)}=${readingOf(field, definition)},\n`;
    // A long list of arguments gets a line of its own.
    return line.length <= width + 1 ? line : line.replace(/\((.*)\),/, '(\n            $1\n        ),');
  });
  return `def _read_${type}(fields: Fields) -> ${classNameOf(type)}:
    return ${classNameOf(type)}(
${lines.join('')}    )
`;
}

/** Returns the expression that reads a field of `fields`. */
function readingOf(field, definition) {
  const { kind, optional, most } = definition;
  const name = optional ? 'name' : `"${field}"`;
  if (kind === 'map') {
    const keys = Object.keys(definition.fields).map((key) => `"${key}"`);
    if (holdsNumbers(definition)) return `fields.numbers(${name}, ${keys.join(', ')})`;
    return maybe(field, optional, `_read_${field}(fields.map(${name}))`);
  }
  if (kind === 'list') return maybe(field, optional, `fields.maps(${name}, _read_${field})`);
  if (kind === 'parameters') return `fields.map(${name}).values`;
  const method =
    {
      code: 'text',
      'number or nil': 'number_or_nil',
      'map of binary': 'binaries',
      'map of numbers': 'numbers_by_name',
    }[kind] ?? kind;
  if (most !== undefined) return maybe(field, optional, `fields.${method}(${name}, most=${most})`);
  return optional ? `fields.optional("${field}", fields.${method})` : `fields.${method}(${name})`;
}

function maybe(field, optional, expression) {
  return optional ? `fields.optional("${field}", lambda name: ${expression})` : expression;
}

/** Returns what a field is, in the words of Python. */
function describe(definition) {
  const isListed = definition.fields && holdsNumbers(definition);
  const names = isListed ? Object.keys(definition.fields).map((name) => `\`${name}\``) : [];
  return `${plain([definition.meaning, names.join(', ')].filter(Boolean).join(': '))}.`;
}

function plain(text) {
  return text
    .replaceAll(/ \(section \d+\)/g, '')
    .replaceAll(/\bin section /g, 'in PROTOCOL.md section ')
    .replaceAll(/\b(nil|absent)\b/g, 'None')
    .replaceAll('`', '``');
}

/** Returns a docstring inside of a class, wrapped. */
function docstring(text) {
  const lines = [];
  for (const word of `"""${text}"""`.split(' ')) {
    const line = lines.at(-1);
    const fits = line !== undefined && line.length + 1 + word.length <= width;
    if (fits) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`    ${word}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function union(name, members) {
  const line = `    ${members.join(' | ')}`;
  const lines = line.length <= width ? line : `    ${members.join('\n    | ')}`;
  return `${name}: TypeAlias = (\n${lines}\n)`;
}
