import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { PromptEmbedder } from '../../../../src/engine/worker/conditioning/prompt-embedder.js';
import { BankMemory } from '../../../../src/engine/worker/streams/bank-memory.js';
import { LiveStream } from '../../../../src/engine/worker/streams/live-stream.js';
import type { StreamContext } from '../../../../src/engine/worker/streams/stream-context.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

export const folder = await readModelFolder(tinyModel);
export const side = 2 * folder.sizeFactor;
const chunk = 4;

/** Encodes a prompt as its length; one of two words is two chunks long. */
function embed(prompt: string): Float32Array {
  return new Float32Array(chunk * (prompt.includes(' ') ? 2 : 1)).fill(prompt.length);
}

export interface Rig {
  readonly stream: LiveStream;
  readonly drops: string[];
  /** Pushes frames, each filled with its number or the given byte. */
  readonly push: (
    frame: number,
    options?: { readonly replace?: boolean; readonly width?: number; readonly byte?: number },
  ) => void;
  /** Admits frames that passed the filter, and advances all under way by a stage. @returns finished frames. */
  readonly turn: () => readonly number[];
  readonly configure: (changes: Partial<StreamParameters>) => Promise<number>;
}

export async function setUp(
  changes: Partial<StreamParameters> = {},
  context: Partial<StreamContext> = {},
  account: string | null = null,
): Promise<Rig> {
  const drops: string[] = [];
  let parameters: StreamParameters = {
    ...defaultParameters(),
    width: side,
    height: side,
    prompt: 'fox',
    t_index_list: [10, 20, 30],
    ...changes,
  };
  const stream = await LiveStream.open(
    { id: 3, account },
    {
      model: {
        folder,
        mixesTimesteps: true,
        latentShape: ({ width, height }) => [1, height / folder.sizeFactor, width / folder.sizeFactor],
      },
      // A call of many rows costs no more than one.
      costs: [1, 8].map((rows) => ({ rows, ms: 10 })),
      pictureMs: 0,
      drop: (id, { frame }, reason) => void drops.push(`${id}: ${frame} ${reason}`),
      prompts: await PromptEmbedder.create({
        folder,
        embed: (prompt) => Promise.resolve({ encoder_hidden_states: embed(prompt) }),
      }),
      styleTokens: null,
      prices: { row: () => 1, picture: () => 1, preprocessed: () => 1 },
      bankMemory: new BankMemory(1e9),
      ...context,
    },
    parameters,
  );
  const push: Rig['push'] = (frame, { replace = true, width = parameters.width, byte = frame } = {}) => {
    const { height } = parameters;
    const image = { width, height, data: new Uint8Array(width * height * 3).fill(byte) };
    stream.push({ frame, width, height, input: { image }, arrivedAt: 0 }, replace);
  };
  const turn: Rig['turn'] = () => {
    stream.screen();
    const lanes = [...stream.lanes()];
    const entries = stream.entries().length;
    for (let i = 0; i < entries; i++) {
      const { frame } = stream.takeEntry();
      const latent = new Float32Array(stream.plan.shape.reduce((all, length) => all * length)).fill(frame);
      lanes.push(stream.admit(frame, latent));
    }
    return lanes.flatMap((lane) => {
      const outputs = lane.rows.map(({ input }) => input.map((value) => value / 2));
      return stream.absorb(lane, outputs) === null ? [] : [lane.frame];
    });
  };
  const configure: Rig['configure'] = (more) => {
    parameters = { ...parameters, ...more };
    return stream.configure(parameters);
  };
  return { stream, drops, push, turn, configure };
}
