import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { variableOf } from '../../src/settings/setting.js';
import { readSettings } from '../../src/settings/settings.js';
import { agentLine, type AgentReport } from '../../src/transport/agent-server.js';
import { repositoryRoot } from '../support/reference.js';
import { plannerFlags } from '../bench/fleet/options.js';
import { assertKnownFlags } from './known-settings.js';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const guide = read('ops/docs/fleet.md');
const runbook = read('ops/docs/runbook.md');

describe('ops/docs/fleet.md', () => {
  it('shows the lines of the agent', () => {
    const half: AgentReport = { engine: 'ready', draining: false, slots: 8, served: 2 };
    const reports: readonly AgentReport[] = [
      half,
      { ...half, served: 8 },
      { ...half, draining: true },
      { ...half, engine: 'starting' },
      { ...half, engine: 'failed' },
    ];
    const shown = [...guide.matchAll(/^\| `((?:up|down)[^`]*)` /gm)].map(([, line]) => line);
    assert.deepEqual(shown, reports.map(agentLine));
  });

  it('names existing flags of the server and of the planner', () => {
    assertKnownFlags(guide, plannerFlags);
  });

  it('has a configuration file that the server accepts, with the values of Kubernetes', () => {
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(guide) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'millrace-guide-'));
    const file = join(folder, 'config.json');
    writeFileSync(file, json.replaceAll('ADDRESS', '192.0.2.11'));
    const settings = readSettings({ file });
    rmSync(folder, { recursive: true });
    const { configMapGenerator } = parse(read('ops/kubernetes/base/kustomization.yaml')) as {
      readonly configMapGenerator: readonly [{ readonly literals: readonly string[] }];
    };
    const literals = new Set(configMapGenerator[0].literals);
    const names = Object.keys(JSON.parse(json) as object).filter((name) => !/host/i.test(name));
    assert.ok(names.length > 5);
    for (const [name, value] of Object.entries(settings)) {
      if (!names.includes(name)) continue;
      const literal = `${variableOf(name)}=${String(value)}`;
      assert.ok(literals.has(literal), literal);
    }
  });

  it('links to entries of the runbook, which link back', () => {
    for (const [, anchor = ''] of guide.matchAll(/runbook\.md#(\w+)/g)) {
      assert.match(runbook, new RegExp(`^## ${anchor}$`, 'im'));
    }
    for (const [, anchor = ''] of runbook.matchAll(/fleet\.md#([\w-]+)/g)) {
      const heading = anchor.replaceAll('-', ' ');
      assert.match(guide, new RegExp(`^## ${heading}`, 'im'));
    }
  });
});
