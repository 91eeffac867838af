import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { readCoverage, type Coverage } from './coverage.js';
import type { Sandbox } from './sandbox.js';
import type { TestGraph } from './test-graph.js';
import { runTests } from './test-process.js';

/** How a test file behaves without a mutant. */
export interface Baseline {
  readonly test: string;
  readonly passed: boolean;
  readonly ms: number;
  readonly coverage: Coverage;
}

/** The limit for any test file, in ms. */
const longestRun = 300_000;

/** Runs each test once without a mutant, and caches the result until something that the test imports changes. */
export class Baselines {
  readonly #sandbox: Sandbox;
  readonly #graph: TestGraph;
  readonly #modules: ReadonlySet<string>;
  readonly #cache: string;
  readonly #known = new Map<string, Baseline>();

  /**
   * @param modules whose coverage is recorded.
   * @param cache a folder, created if missing.
   */
  constructor(sandbox: Sandbox, graph: TestGraph, modules: ReadonlySet<string>, cache: string) {
    this.#sandbox = sandbox;
    this.#graph = graph;
    this.#modules = modules;
    this.#cache = cache;
    mkdirSync(cache, { recursive: true });
  }

  /** The test files that fail without a mutant. */
  get failing(): readonly string[] {
    return [...this.#known].filter(([, { passed }]) => !passed).map(([test]) => test);
  }

  async of(test: string): Promise<Baseline> {
    let known = this.#known.get(test) ?? this.#read(test) ?? (await this.#measure(test));
    // One failure may have been bad luck.
    if (!known.passed && !this.#known.has(test)) known = await this.#measure(test);
    this.#known.set(test, known);
    return known;
  }

  #read(test: string): Baseline | null {
    try {
      return { ...(JSON.parse(readFileSync(this.#path(test), 'utf8')) as Baseline), test };
    } catch {
      return null;
    }
  }

  async #measure(test: string): Promise<Baseline> {
    const { root } = this.#sandbox;
    const folder = join(root, 'coverage');
    mkdirSync(folder);
    // With the coverage of threads, which is written when they end normally.
    const { outcome, ms } = await runTests(root, test, longestRun, { NODE_V8_COVERAGE: folder });
    const baseline = {
      test,
      passed: outcome === 'passed',
      ms: Math.round(ms),
      coverage: readCoverage(folder, root, this.#modules),
    };
    rmSync(folder, { recursive: true });
    if (baseline.passed) writeFileSync(this.#path(test), JSON.stringify(baseline));
    return baseline;
  }

  /** Returns a path whose name depends on everything that the test depends on. */
  #path(test: string): string {
    const hash = createHash('sha256').update(`${process.version} ${test}`);
    for (const module of this.#graph.closureOf(test)) {
      hash.update(readFileSync(join(this.#sandbox.root, module)));
    }
    return join(this.#cache, `${hash.digest('hex').slice(0, 24)}.json`);
  }
}
