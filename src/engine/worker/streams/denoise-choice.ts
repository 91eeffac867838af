import type { StreamParameters } from '@millrace/protocol';
import type { Plan } from '../../../diffusion/in-flight.js';
import type { Admission } from '../../../diffusion/stream.js';
import { rowsAtStage } from '../../costs.js';
import { preferredDenoise } from '../planning/denoise.js';
import { admissionOf } from '../planning/plan.js';
import type { StreamContext } from './stream-context.js';

/**
 * How the frames of a stream follow each other. `auto` may change its choice between any two calls: frames under way
 * continue as they are, and only when the next one may enter depends on it.
 */
export class DenoiseChoice {
  readonly #context: Pick<StreamContext, 'model' | 'costs' | 'pictureMs'>;
  #auto: Admission['denoise'] = 'sequential';
  /** Streams that fill U-Net calls together, this one included. */
  users = 1;
  /** Whether new frames replace waiting ones. */
  isLive = true;

  constructor(context: Pick<StreamContext, 'model' | 'costs' | 'pictureMs'>) {
    this.#context = context;
  }

  admission(parameters: StreamParameters, { solver }: Plan): Admission {
    const { model, costs, pictureMs } = this.#context;
    const steps = solver.stages.length;
    if (model.mixesTimesteps) {
      this.#auto = preferredDenoise({
        costs,
        pictureMs,
        steps,
        rowsPerStep: rowsAtStage(parameters, steps - 1),
        users: this.users * parameters.frame_buffer_size,
        isLive: this.isLive,
        current: this.#auto,
      });
    }
    return admissionOf(parameters, this.#auto);
  }
}
