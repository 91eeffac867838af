import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readSettings, SettingsError, type SettingsSources } from '../../src/settings/settings.js';
import { flagOf, variableOf, type Setting } from '../../src/settings/setting.js';
import { settingsTable } from '../../src/settings/settings-table.js';
import { repositoryRoot } from '../support/reference.js';

describe('readSettings', () => {
  let folder: string;
  let file: string;
  const write = async (contents: string): Promise<string> => {
    await writeFile(file, contents);
    return file;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-settings-'));
    file = join(folder, 'config.json');
  });
  after(() => rm(folder, { recursive: true }));

  it('has a default for every setting, and returns a frozen object', () => {
    const settings = readSettings({});
    assert.deepEqual(Object.keys(settings), Object.keys(settingsTable));
    assert.equal(settings.port, 8420);
    assert.equal(settings.host, '127.0.0.1');
    assert.ok(Object.isFrozen(settings));
  });

  it('prefers flags to the environment, that to the file, and that to the default', async () => {
    await write(
      '{ "port": 1, "host": "127.0.0.2", "maxSessions": 3, "allowedOrigins": ["https://a.example"] }',
    );
    const environment = { MILLRACE_PORT: '2', MILLRACE_MAX_SESSIONS: '4' };
    const settings = readSettings({ flags: { port: '5' }, environment, file });
    assert.equal(settings.port, 5);
    assert.equal(settings.maxSessions, 4);
    assert.equal(settings.host, '127.0.0.2');
    assert.deepEqual(settings.allowedOrigins, ['https://a.example']);
    assert.equal(settings.credits, 2);
  });

  it('reads PORT, after MILLRACE_PORT', () => {
    assert.equal(readSettings({ environment: { PORT: '7' } }).port, 7);
    assert.equal(readSettings({ environment: { PORT: '7', MILLRACE_PORT: '8' } }).port, 8);
    assert.equal(readSettings({ environment: { PORT: '7' }, flags: { port: '9' } }).port, 9);
  });

  it('reads switches and lists from text', () => {
    const environment = {
      MILLRACE_INSECURE_NO_AUTH: 'true',
      MILLRACE_ALLOWED_ORIGINS: 'https://a.example, https://b.example',
    };
    const settings = readSettings({ environment });
    assert.equal(settings.insecureNoAuth, true);
    assert.deepEqual(settings.allowedOrigins, ['https://a.example', 'https://b.example']);
    assert.deepEqual(readSettings({ flags: { compat: 'fal, demo' } }).compat, ['fal', 'demo']);
  });

  const wrong: readonly (readonly [sources: SettingsSources, message: RegExp])[] = [
    [{ flags: { port: '65536' } }, /^--port must be an integer from 0 to 65535, not "65536"$/],
    [{ flags: { port: '' } }, /^--port must be an integer/],
    [{ flags: { port: '80.5' } }, /^--port must be an integer/],
    [{ flags: { pingSeconds: 'NaN' } }, /^--ping-seconds must be a number from 0.1 to 600, not "NaN"$/],
    [{ environment: { PORT: 'http' } }, /^PORT must be an integer/],
    [{ environment: { MILLRACE_LOG_LEVEL: 'loud' } }, /^MILLRACE_LOG_LEVEL must be one of trace, debug,/],
    [{ environment: { MILLRACE_INSECURE_NO_AUTH: 'maybe' } }, /must be true or false/],
    [{ flags: { compat: 'demo,falx' } }, /^--compat must be a list of demo, fal, sglang, not "demo,falx"$/],
  ];
  for (const [sources, message] of wrong) {
    it(`names the invalid setting: ${JSON.stringify(sources)}`, () => {
      assert.throws(() => readSettings(sources), { name: 'SettingsError', message });
    });
  }

  it('names what is invalid in the file', async () => {
    const cases = [
      ['{ "port": "a" }', /^port in .*config\.json must be an integer/],
      ['{ "prot": 1 }', /^--config .*: unknown setting prot$/],
      ['{ "allowedOrigins": [1] }', /^allowedOrigins in .* must be a list of texts/],
      ['[]', /must hold a JSON object/],
      ['{', /^--config .*: .*JSON/],
    ] as const;
    for (const [contents, message] of cases) {
      await write(contents);
      assert.throws(() => readSettings({ file }), { name: 'SettingsError', message });
    }
    assert.throws(() => readSettings({ file: join(folder, 'none.json') }), SettingsError);
  });
});

describe('ops/docs/settings.md', () => {
  it('contains the table of the settings', () => {
    const document = readFileSync(join(repositoryRoot, 'ops/docs/settings.md'), 'utf8');
    const rows = document
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const table = Object.entries<Setting>(settingsTable).map(([name, setting]) => [
      `\`${name}\``,
      `\`${flagOf(name)}\``,
      `\`${variableOf(name)}\``,
      valuesOf(setting),
      defaultOf(setting),
      setting.description,
    ]);
    assert.deepEqual(rows, table);
  });

  function valuesOf(setting: Setting): string {
    if ('range' in setting) return `${setting.type}, ${setting.range[0]} to ${setting.range[1]}`;
    return 'choices' in setting ? setting.choices.join(', ') : setting.type;
  }

  function defaultOf(setting: Setting): string {
    if (setting.defaultText !== undefined) return setting.defaultText;
    return setting.type === 'list' ? 'none' : `\`${String(setting.default)}\``;
  }
});
