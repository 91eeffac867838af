import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger } from 'pino';
import { createLogger } from '../../src/cli/logger.js';

/** Returns everything that `write` logs. */
async function written(write: (log: Logger) => void): Promise<string> {
  let lines = '';
  const destination = { write: (line: string) => void (lines += line) };
  write(await createLogger({ logLevel: 'trace', logFormat: 'json' }, destination));
  return lines;
}

describe('the log', () => {
  it('is JSON, one line per event', async () => {
    const lines = await written((log) => {
      log.info({ frames: 3 }, 'session closed');
      log.debug('more');
    });
    const [first, second] = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual([first?.['msg'], first?.['frames'], second?.['msg']], ['session closed', 3, 'more']);
  });

  it('hides secrets, at the top level and nested', async () => {
    const hidden = 'do-not-show-this';
    const cases: readonly object[] = [
      { token: hidden },
      { hello: { type: 'hello', token: hidden, resume: hidden } },
      { req: { headers: { authorization: `Bearer ${hidden}`, cookie: hidden } } },
      { settings: { jwtSecret: hidden, metricsToken: hidden, adminToken: hidden, resumeKey: hidden } },
      { err: Object.assign(new Error('failed'), { token: hidden }) },
    ];
    for (const fields of cases) {
      const line = await written((log) => log.error(fields, 'something'));
      assert.ok(!line.includes(hidden), line);
      assert.match(line, /\[secret\]/);
    }
  });

  it('hides secrets in the fields of a child logger', async () => {
    const line = await written((log) => log.child({ token: 'do-not-show-this' }).info('something'));
    assert.doesNotMatch(line, /do-not-show-this/);
  });
});
