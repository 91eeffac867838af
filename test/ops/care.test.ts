import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { repositoryRoot } from '../support/reference.js';

interface Audit {
  readonly answered: boolean;
  readonly serious: readonly string[];
}
const script = (name: string): string => pathToFileURL(join(repositoryRoot, 'ops/scripts', name)).href;
const { forbiddenLicences } = (await import(script('licences.mjs'))) as {
  readonly forbiddenLicences: (lock: object) => readonly string[];
};
const { readAudit } = (await import(script('audit.mjs'))) as {
  readonly readAudit: (output: string) => Audit;
};

describe('the licence check', () => {
  const check = (license?: string, more: object = {}): readonly string[] =>
    forbiddenLicences({ packages: { '': {}, 'node_modules/a/node_modules/@b/c': { license, ...more } } });

  it('accepts free licences, and choices that include one', () => {
    for (const license of ['MIT', '(BSD-2-Clause OR GPL-3.0-only)', 'Apache-2.0 AND MIT']) {
      assert.deepEqual(check(license), []);
    }
  });

  it('finds other licences, and packages without one', () => {
    for (const license of ['GPL-3.0-only', 'MIT AND GPL-3.0-only', 'SEE LICENSE IN README', undefined]) {
      assert.deepEqual(check(license), [`@b/c: ${license ?? 'no licence'}`]);
    }
  });

  it('ignores development dependencies', () => {
    assert.deepEqual(check('GPL-3.0-only', { dev: true }), []);
  });
});

describe('the audit', () => {
  it('finds serious vulnerabilities', () => {
    const vulnerabilities = {
      a: { name: 'a', severity: 'critical', range: '<2' },
      b: { name: 'b', severity: 'low', range: '*' },
    };
    assert.deepEqual(readAudit(JSON.stringify({ vulnerabilities })), {
      answered: true,
      serious: ['a <2: critical'],
    });
  });

  it('recognises a registry that does not answer', () => {
    for (const output of ['', 'not JSON', '{"message":"request failed"}', '{"error":{"code":"ENOAUDIT"}}']) {
      assert.deepEqual(readAudit(output), { answered: false, serious: [] });
    }
  });
});

describe('documents', () => {
  it('of the project link to existing files', () => {
    const documents = [
      'SECURITY.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'ops/docs/runbook.md',
      'ops/docs/steering.md',
      'ops/docker/README.md',
    ];
    for (const document of documents) {
      const text = readFileSync(join(repositoryRoot, document), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
      for (const link of links) {
        const target = join(repositoryRoot, document, '..', link);
        assert.ok(existsSync(target), `${document} links to ${link}, which does not exist`);
      }
    }
  });

  it('have an entry in the change log for the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    const log = readFileSync(join(repositoryRoot, 'CHANGELOG.md'), 'utf8');
    assert.match(log, new RegExp(`^## \\[?${version.replaceAll('.', String.raw`\.`)}\\b`, 'm'));
  });
});

describe('the public CI', () => {
  const { jobs } = parse(readFileSync(join(repositoryRoot, '.github/workflows/ci.yml'), 'utf8')) as {
    readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
  };

  it('runs .ci/run on the oldest supported Node.js and newer ones', () => {
    const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    assert.ok(commands.includes('.ci/run'));
    const { engines } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
      engines: { node: string };
    };
    assert.ok(JSON.stringify(jobs).includes(`"${engines.node.replace('>=', '')}"`));
  });

  it('has scripts without syntax errors', { skip: process.platform === 'win32' }, () => {
    for (const file of ['.ci/run', '.ci/tools', '.ci/python']) {
      const { status, stderr } = spawnSync('bash', ['-n', file], { cwd: repositoryRoot, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
  });
});
