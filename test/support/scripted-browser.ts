import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A browser with one tab, in which tests evaluate expressions. */
export abstract class ScriptedBrowser implements AsyncDisposable {
  abstract open(url: string): Promise<void>;

  /** Evaluates an expression, which may be a promise. @throws {Error} (as rejection) if it throws. */
  abstract evaluate(expression: string): Promise<unknown>;

  /** Returns the errors in the console of the tab. */
  abstract problems(): Promise<readonly string[]>;

  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    while (!(await this.evaluate(`Boolean(${expression})`))) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Clicks an element, by its test id. */
  async click(testId: string): Promise<void> {
    const element = `document.querySelector('[data-testid=${testId}]')`;
    await this.until(element);
    await this.evaluate(`void ${element}.click()`);
  }
}

/** Returns the program that an environment variable names, or the first of these on the PATH; undefined for none. */
export function findProgram(variable: string, ...names: readonly string[]): string | undefined {
  const named = process.env[variable];
  if (named !== undefined) return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}
