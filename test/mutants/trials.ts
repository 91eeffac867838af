import { basename } from 'node:path';
import type { Baseline, Baselines } from './baselines.js';
import { hasRun } from './coverage.js';
import { applyEdit } from './edits.js';
import type { Mutant } from './mutants.js';
import type { Sandbox } from './sandbox.js';
import type { TestGraph } from './test-graph.js';
import { runTests } from './test-process.js';

export type Verdict = 'noticed' | 'timed out' | 'survived';

export interface Trial {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** The test that noticed it, or else those that ran it and passed. */
  readonly tests: readonly string[];
}

/** A test that hangs is stopped after `factor` times its usual time plus `ms` milliseconds. */
const allowance = { factor: 3, ms: 10_000 };

/** Tests mutants: runs the tests that could notice, the nearest first, until one does. */
export class Trials {
  readonly #sandbox: Sandbox;
  readonly #graph: TestGraph;
  readonly #baselines: Baselines;
  readonly #budget: number;

  /** @param budget usual run time in ms of the tests to run for one mutant; the nearest always runs. */
  constructor(sandbox: Sandbox, graph: TestGraph, baselines: Baselines, budget: number) {
    this.#sandbox = sandbox;
    this.#graph = graph;
    this.#baselines = baselines;
    this.#budget = budget;
  }

  async try(mutant: Mutant): Promise<Trial> {
    const { module, start } = mutant;
    const passing: string[] = [];
    let left = this.#budget;
    for await (const { test, passed, ms, coverage } of this.#baselinesOf(module)) {
      if (!passed || !hasRun(coverage, module, start)) continue;
      if (left < this.#budget / 5) break;
      if (passing.length > 0 && ms > left) continue;
      left -= ms;
      const { outcome } = await this.#sandbox.with(
        module,
        (text) => applyEdit(text, mutant),
        () => runTests(this.#sandbox.root, test, allowance.factor * ms + allowance.ms),
      );
      if (outcome === 'failed') return { mutant, verdict: 'noticed', tests: [test] };
      if (outcome === 'timed out') return { mutant, verdict: outcome, tests: [test] };
      passing.push(test);
    }
    return { mutant, verdict: 'survived', tests: passing };
  }

  /**
   * Returns the baselines of the tests that import a module: the nearest first, and among equally near ones the test of
   * the same name, then the fastest. Where possible, no baseline is measured before its turn.
   */
  async *#baselinesOf(module: string): AsyncGenerator<Baseline, void, void> {
    const own = `${basename(module, '.js')}.test.js`;
    for (const group of this.#graph.testsOf(module)) {
      for (const test of group) if (basename(test) === own) yield await this.#baselines.of(test);
      const others: Baseline[] = [];
      for (const test of group) if (basename(test) !== own) others.push(await this.#baselines.of(test));
      yield* others.sort((a, b) => a.ms - b.ms);
    }
  }
}
