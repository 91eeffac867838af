import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Coverage } from './coverage.js';
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

/** How a test file behaves without a mutant. */
interface Baseline {
  readonly passed: boolean;
  readonly ms: number;
  readonly coverage: Coverage;
}

/** Milliseconds that any test file may take: one that hangs is stopped after many times its usual time. */
const longestRun = 300_000;
const patience = { factor: 5, ms: 10_000 };

/** Tries mutants: runs the tests that could notice, the nearest first, up to one that does. */
export class Trials {
  readonly #sandbox: Sandbox;
  readonly #graph: TestGraph;
  readonly #modules: ReadonlySet<string>;
  readonly #budget: number;
  readonly #baselines = new Map<string, Baseline>();

  /**
   * @param modules that have mutants.
   * @param budget usual run time in milliseconds of the tests that are tried on one mutant, at least of the nearest.
   */
  constructor(sandbox: Sandbox, graph: TestGraph, modules: ReadonlySet<string>, budget: number) {
    this.#sandbox = sandbox;
    this.#graph = graph;
    this.#modules = modules;
    this.#budget = budget;
  }

  /** Test files that fail without any mutant: they can notice nothing. */
  get failing(): readonly string[] {
    return [...this.#baselines].filter(([, { passed }]) => !passed).map(([test]) => test);
  }

  async try(mutant: Mutant): Promise<Trial> {
    const { module, start } = mutant;
    const tried: string[] = [];
    let left = this.#budget;
    for (const test of this.#graph.testsOf(module)) {
      const { passed, ms, coverage } = await this.#baseline(test);
      if (!passed || !coverage.ran(module, start) || (tried.length > 0 && ms > left)) continue;
      left -= ms;
      const outcome = await this.#sandbox.with(
        module,
        (text) => applyEdit(text, mutant),
        () => runTests(this.#sandbox.root, test, patience.factor * ms + patience.ms),
      );
      if (outcome === 'failed') return { mutant, verdict: 'noticed', tests: [test] };
      if (outcome === 'timed out') return { mutant, verdict: outcome, tests: [test] };
      tried.push(test);
    }
    return { mutant, verdict: 'survived', tests: tried };
  }

  async #baseline(test: string): Promise<Baseline> {
    const known = this.#baselines.get(test);
    if (known !== undefined) return known;
    const folder = join(this.#sandbox.root, 'coverage');
    mkdirSync(folder);
    const begin = performance.now();
    const outcome = await runTests(this.#sandbox.root, test, longestRun, { NODE_V8_COVERAGE: folder });
    const baseline = {
      passed: outcome === 'passed',
      ms: performance.now() - begin,
      coverage: new Coverage(folder, this.#sandbox.root, this.#modules),
    };
    rmSync(folder, { recursive: true });
    this.#baselines.set(test, baseline);
    return baseline;
  }
}
