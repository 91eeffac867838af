import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  decodeMessage,
  dropReasons,
  encodeMessage,
  errors,
  protocolVersion,
  subprotocol,
} from '@millrace/protocol';
import type { ErrorDefinition } from '@millrace/protocol';
import { messageFromJson } from './message-json.js';

const document = readFileSync(new URL('../../../protocol/PROTOCOL.md', import.meta.url), 'utf8');

/** The cells of each row of the table that follows `marker`. */
function tableAfter(marker: string): string[][] {
  const [, rest = ''] = document.split(marker);
  const [table = ''] = rest.slice(rest.indexOf('\n|') + 1).split('\n\n');
  const [, , ...rows] = table.trim().split('\n');
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
}

describe('PROTOCOL.md', () => {
  it('has the errors of the catalogue', () => {
    const catalogue = Object.entries(errors).map(([code, definition]: [string, ErrorDefinition]) => [
      code,
      String(definition.close ?? '-'),
      String(definition.status),
      definition.retryable ? 'yes' : 'no',
      definition.meaning,
    ]);
    assert.deepEqual(tableAfter('<!-- errors:'), catalogue);
  });

  it('has the reasons for drops', () => {
    const reasons = tableAfter('The reasons:').map(([reason]) => reason);
    assert.deepEqual(reasons, [...dropReasons]);
  });

  it('has a section for each message', () => {
    const sections = [...document.matchAll(/^### (\w+)$/gm)].map(([, type]) => type);
    const fixtures = readdirSync(new URL('../../../protocol/fixtures/', import.meta.url));
    const types = fixtures.filter((file) => file.endsWith('.bin')).map((file) => file.slice(0, -4));
    assert.deepEqual(sections.sort(), types.sort());
  });

  it('names the subprotocol and the version', () => {
    assert.ok(document.startsWith(`# The millrace protocol ${protocolVersion}\n`));
    assert.ok(document.includes(`subprotocol \`${subprotocol}\``));
  });

  it('has an example whose bytes are its messages', () => {
    const [, block = ''] = /## 15\. Example[^]*?```\n([^]*?)\n```/.exec(document) ?? [];
    const entries = block.split('\n\n').map((entry) => {
      const [first = '', ...lines] = entry.split('\n');
      return { json: first.slice(2), hex: lines.join('').replaceAll(' ', '') };
    });
    assert.equal(entries.length, 10);
    for (const { json, hex } of entries) {
      const message = messageFromJson(json);
      assert.deepEqual(decodeMessage(new Uint8Array(Buffer.from(hex, 'hex'))), message);
      assert.equal(Buffer.from(encodeMessage(message)).toString('hex'), hex);
    }
  });
});
