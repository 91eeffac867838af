import type { Lane, Row, Stream } from '../../src/diffusion/stream.js';

/**
 * Predicts in closed form from all that a row carries (values, timestep, conditioning) and, like a U-Net, from the
 * whole latent: if anything of another row leaks in, the result differs.
 */
export function predict(row: Row): Float32Array {
  const { input, stage, conditioning } = row;
  const mean = input.reduce((sum, value) => sum + value, 0) / input.length;
  const prompt = conditioning.encoder_hidden_states[0];
  return input.map((value, i) => {
    return 0.6 * Math.tanh(value + prompt) + 0.2 * mean + 0.1 * Math.sin(stage.timestep / 100 + i + prompt);
  });
}

/** Predicts and absorbs all lanes of a stream; returns the frames that left, with copies of their latents. */
export function advance(stream: Stream, lanes: readonly Lane[] = stream.lanes()): [number, Float32Array][] {
  const finished: [number, Float32Array][] = [];
  for (const lane of lanes) {
    const latent = stream.absorb(lane, lane.rows.map(predict));
    if (latent) finished.push([lane.frame, latent.slice()]);
  }
  return finished;
}
