import assert from 'node:assert/strict';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { start } from '../../support/command.js';

/** What a device without float16 cannot run of the tiny model, whose text encoder stores its table in it. */
export const moved =
  /the text encoder runs on the CPU, since webgpu cannot run it: .* requires f16 .* export it in another/;

/** Largest difference over the largest value: float32 in another order, and sines of large angles. */
const tolerance = 1.6e-4;

/** Asserts that WebGPU computes what the CPU computes with the networks of a model, and says what it leaves to the CPU. */
export async function assertParity(model: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const program = fileURLToPath(new URL('compare.js', import.meta.url));
  const { code, stdout, stderr } = await start(process.execPath, [program, model], environment).ended;
  assert.equal(code, 0, stderr);
  const { notes, differences } = JSON.parse(stdout) as {
    readonly notes: readonly string[];
    readonly differences: Readonly<Record<string, number>>;
  };
  assert.equal(notes.length, 1);
  assert.match(notes.join(), moved);
  const { text, latent, predictions, pixels } = differences;
  assert.equal(text, 0, 'both on the CPU');
  for (const share of [latent, predictions]) {
    assert.ok(share !== undefined && share <= tolerance, JSON.stringify(differences));
  }
  assert.ok(pixels !== undefined && pixels <= 1 / 255, `${pixels}`);
}
