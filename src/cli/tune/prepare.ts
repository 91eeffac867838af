import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { TuningJob } from '../../engine/tuning.js';
import { readModelFolder, type ModelFolder } from '../../model/folder.js';
import { readEngineSettings, type EngineFlags } from '../engine-options.js';
import { findModel } from '../model-source.js';
import { RunError } from '../run/run-error.js';
import { referenceFor, type Space } from './candidates.js';
import { readPictures } from './pictures.js';

/** The options of both ways of tuning. */
export interface CommonOptions extends EngineFlags {
  readonly output: string;
  readonly strength?: string;
  readonly pictures?: string;
  readonly prompts?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** What both ways of tuning start from. */
export interface Prepared {
  readonly folder: ModelFolder;
  readonly space: Space;
  readonly job: TuningJob;
  /** Numbers of the pictures to search on, and of those that are kept for the report. */
  readonly searched: readonly number[];
  readonly held: readonly number[];
}

/** Reads the model and the pictures. @throws {RunError} if an option is invalid. */
export async function prepare(options: CommonOptions, signal: AbortSignal): Promise<Prepared> {
  const settings = readEngineSettings(options);
  const root = await findModel(settings.model, signal);
  const folder = await readModelFolder(root);
  const space = spaceOf(folder, options.strength);
  const pictures = await readPictures(space.usual, folder.styles, options);
  const numbers = pictures.map((_, i) => i);
  return {
    folder,
    space,
    job: {
      model: root,
      threads: settings.threads,
      parameters: space.usual,
      reference: referenceFor(space),
      pictures,
    },
    searched: numbers.filter((i) => i % 2 === 0),
    held: numbers.filter((i) => i % 2 === 1),
  };
}

/** @throws {RunError} if the strength is invalid, or the model does not change pictures. */
function spaceOf(folder: ModelFolder, strength?: string): Space {
  const usual: StreamParameters = { ...defaultParameters(folder), seed: 0, latent_feedback: 0 };
  if (folder.modes && !folder.modes.includes('img2img'))
    throw new RunError(`${folder.name} does not change pictures (img2img), which tune compares`);
  const share = strength === undefined ? usualStrength(usual) : Number(strength);
  if (!(share > 0 && share <= 1))
    throw new RunError(`--strength must be above 0, up to 1, not ${strength ?? share}`);
  return { scheduler: folder.scheduler, usual, strength: share };
}

/** Returns the strength of parameters, also if they list times. */
function usualStrength({ t_index_list: list, num_inference_steps, strength }: StreamParameters): number {
  return list === null ? strength : 1 - (list[0] ?? 0) / num_inference_steps;
}
