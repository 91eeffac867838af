import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
import { Lateness } from '../../src/session/frames/stall-guard.js';
import { repositoryRoot } from '../support/reference.js';
import { messageFromJson } from './message-json.js';

const document = readFileSync(new URL('../../../protocol/PROTOCOL.md', import.meta.url), 'utf8');

/** Returns the cells of each row of the table that follows `marker`. */
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
    assert.deepEqual(tableAfter('<!-- table: errors -->'), catalogue);
  });

  it('has the reasons for drops', () => {
    const reasons = tableAfter('<!-- table: drops -->').map(([reason]) => reason);
    assert.deepEqual(reasons, [...dropReasons]);
  });

  it('has an example of late frames that matches the server', () => {
    const interval = 50;
    const rows = tableAfter('<!-- lateness:').map((row) => row.map(Number.parseFloat));
    const late = tableAfter('<!-- lateness:').map((row) => row.at(-1) === 'yes');
    const lags = rows.map(([lag = Number.NaN]) => lag);
    assert.equal(rows.length, 10);
    /** Returns whether a last frame with this lag is late, after the frames of the table before this row. */
    const isLate = (row: number, lag: number): boolean => {
      const lateness = new Lateness();
      for (const before of lags.slice(0, row)) lateness.isLate(before, interval);
      return lateness.isLate(lag, interval);
    };
    for (const [row, [lag = Number.NaN, usual = Number.NaN, limit = Number.NaN]] of rows.entries()) {
      assert.equal(isLate(row, lag), late[row], `row ${row}`);
      // Before the first, and after four late ones, there is no limit.
      if (Number.isNaN(limit)) {
        assert.equal(isLate(row, 1e6), false, `row ${row}`);
        continue;
      }
      assert.equal(limit.toFixed(1), (usual + 3 * interval).toFixed(1));
      assert.equal(isLate(row, limit - 0.1), false, `row ${row}`);
      assert.equal(isLate(row, limit + 0.1), true, `row ${row}`);
    }
  });

  it('has the same final close codes as the clients', async () => {
    const text = /SHOULD NOT after any other end[^:]*:([^]*?), or an error/.exec(document)?.[1] ?? '';
    const final = [...text.matchAll(/\d{4}/g)].map(([code]) => code);
    for (const source of ['clients/js/src/closing.ts', 'clients/python/src/millrace/closing.py']) {
      const code = await readFile(join(repositoryRoot, source), 'utf8');
      const listed = [...code.matchAll(/^ +(\d{4}): ['"]/gm)].map(([, number]) => number);
      assert.deepEqual(listed, final, source);
    }
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
