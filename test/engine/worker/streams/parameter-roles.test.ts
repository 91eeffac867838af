import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  hasEffect,
  parameterSchemasFor,
  parameterNames,
  type ParameterName,
  type ParameterRole,
  type ParameterUpdate,
} from '@millrace/protocol';
import { predictionsFor } from '../../../../src/diffusion/solvers/create.js';
import { ParameterError } from '../../../../src/engine/engine.js';
import { PromptEmbedder } from '../../../../src/engine/worker/conditioning/prompt-embedder.js';
import { statistics } from '../../../diffusion/solvers/solver-settings.js';
import { otherUpdates } from '../../../support/parameters.js';
import { steeredFolder } from '../../../support/steered-folder.js';
import { folder as plain, setUp, side, type Rig } from './live-stream-rig.js';

/** A model that can be steered in all ways. */
const folder = steeredFolder(plain);
const model = {
  mixesTimesteps: true,
  latentShape: ({ width, height }: { width: number; height: number }) =>
    [1, height / folder.sizeFactor, width / folder.sizeFactor] as const,
};

const properties = parameterSchemasFor(folder);

/** Parameters with which most others have an effect. */
const usual: ParameterUpdate = {
  prompt: [
    { text: 'a', weight: 1 },
    { text: 'bbb', weight: 2 },
  ],
  cfg_type: 'full',
  guidance_scale: 3,
  noise: 'drift',
  t_index_list: [5, 10, 20, 30],
  steps: 4,
  num_inference_steps: 40,
  denoise: 'stream',
  // Solvers that can add noise do.
  eta: 1,
  algorithm_type: 'sde-dpmsolver++',
  style_image: Uint8Array.of(1, 2),
};

/** Opens a stream of a model that fits its solver, with embeddings that are not parallel: ways to blend them differ. */
async function open(changes: ParameterUpdate): Promise<Rig> {
  const embed = (prompt: string): Float32Array =>
    Float32Array.from({ length: 4 }, (_, k) => Math.sin(k * prompt.length + prompt.length));
  const prompts = await PromptEmbedder.create({
    folder,
    embed: (prompt) => Promise.resolve({ encoder_hidden_states: embed(prompt) }),
  });
  const styleTokens = {
    get: (file: string) => {
      const tokens = Float32Array.from(Buffer.from(file, 'latin1'));
      return Promise.resolve({ positive: tokens, negative: new Float32Array(tokens.length) });
    },
  };
  const { solver = 'LCMScheduler', solver_schedule: schedule } = changes;
  const [predictionType] = predictionsFor(schedule?.[0] ?? solver);
  const scheduler = { ...folder.scheduler, statistics, prediction_type: predictionType };
  const fitting = { ...model, folder: { ...folder, predictionType, scheduler } };
  return setUp({ ...usual, ...changes }, { prompts, styleTokens, model: fitting });
}

/** Advances all frames by a stage, with predictions that depend on all that a row has. @returns finished latents. */
function advance({ stream }: Rig): readonly (readonly number[])[] {
  const finished: (readonly number[])[] = [];
  for (const lane of stream.lanes()) {
    const predictions = lane.rows.map(({ input, conditioning }) =>
      input.map((value, i) => {
        const text = conditioning.encoder_hidden_states[i % 4] ?? 0;
        const { image_tokens: tokens, ip_adapter_scale: scales } = conditioning;
        const style = (tokens?.[0] ?? 0) * (scales?.reduce((sum, scale) => sum + scale, 0) ?? 0);
        return value / 2 + text + style + Object.keys(conditioning).length;
      }),
    );
    const latent = stream.absorb(lane, predictions);
    if (latent) finished.push([...latent]);
  }
  return finished;
}

/** Advances all frames to their end. @returns their latents. */
function finish(rig: Rig): readonly (readonly number[])[] {
  const finished = [];
  while (rig.stream.lanes().length > 0) finished.push(...advance(rig));
  return finished;
}

/** Lets a frame enter. */
function enter({ stream, push }: Rig, frame: number): void {
  push(frame);
  stream.screen();
  const { frame: next } = stream.takeEntry();
  const [channels, height, width] = stream.plan.shape;
  stream.admit(next, new Float32Array(channels * height * width).fill(frame / 10));
}

/** What some parameters need to be changed, or to have an effect. */
const neededFirst: Readonly<Partial<Record<ParameterName, ParameterUpdate>>> = {
  // The only type of guidance that has an effect at later stages and uses delta.
  delta: { cfg_type: 'self' },
  prompt_composition: { solver: 'EulerMaruyamaScheduler' },
};

/** Changes a parameter while frame 5 is under way. */
async function changeUnderWay(start: ParameterUpdate, update: ParameterUpdate) {
  const rig = await open(start);
  enter(rig, 5);
  advance(rig);
  const { plan } = rig.stream;
  const from = await rig.configure(update);
  const isPlanNew = rig.stream.plan !== plan;
  const finished = finish(rig);
  assert.equal(finished.length, 1);
  return { from, isPlanNew, finished };
}

describe('a change of a parameter', () => {
  for (const name of parameterNames) {
    const roles: readonly ParameterRole[] = properties[name]['x-applies'];
    const [isPlanned, isSteering] = [roles.includes('plan'), roles.includes('steering')];
    const effects = [isPlanned && 'makes a new plan', isSteering && 'steers frames under way'];
    const effect = effects.find(Boolean) || 'changes neither the plan nor frames under way';
    it(`that applies to ${roles.join(' and ')} ${effect}: ${name}`, async () => {
      const start = neededFirst[name] ?? {};
      const { [name]: value = properties[name].default } = { ...usual, width: side, height: side };
      const [update = {}] = otherUpdates(name, value, properties[name]);
      const before = await changeUnderWay(start, {});
      const changed = await changeUnderWay(start, update);
      assert.equal(changed.isPlanNew, isPlanned);
      assert.equal(changed.from, isSteering ? 5 : 6);
      assert.equal(JSON.stringify(changed.finished) !== JSON.stringify(before.finished), isSteering);
    });
  }
});

describe('a parameter that depends on another has an effect only with the values listed:', () => {
  /** Returns the results of two frames. */
  async function results(start: ParameterUpdate): Promise<string> {
    const rig = await open(start);
    const finished = [];
    for (const frame of [1, 2]) {
      enter(rig, frame);
      finished.push(...finish(rig));
    }
    assert.equal(finished.length, 2);
    return JSON.stringify(finished);
  }

  const dependent = parameterNames.filter(
    (name) =>
      properties[name]['x-when'] &&
      properties[name]['x-applies'].some((role) => role === 'plan' || role === 'steering'),
  );
  for (const name of dependent) {
    for (const other of Object.keys(properties[name]['x-when'] ?? {}) as ParameterName[]) {
      it(`${name} on ${other}`, async () => {
        const present = properties[other].default;
        const starts = [{ [other]: present }, ...otherUpdates(other, present, properties[other])];
        let effective = 0;
        for (const start of starts) {
          const all = { ...usual, ...start };
          const { [name]: value = properties[name].default } = usual;
          const updates = otherUpdates(name, value, properties[name]);
          const outcomes = [await results(start)];
          for (const update of updates) {
            try {
              outcomes.push(await results({ ...start, ...update }));
            } catch (error) {
              // A value that only some of the solvers accept.
              assert.ok(error instanceof ParameterError && error.field === name, String(error));
            }
          }
          const differs = new Set(outcomes).size > 1;
          assert.equal(differs, hasEffect(properties[name], all), JSON.stringify(start));
          if (differs) effective += 1;
        }
        assert.ok(effective > 0 && effective < starts.length);
      });
    }
  }
});
