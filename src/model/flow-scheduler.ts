import type { ParameterUpdate } from '@millrace/protocol';
import { ModelError } from './model-error.js';

const noisePredictions = ['epsilon', 'v_prediction', 'sample'] as const;
const flowPredictions = ['flow', 'reverse_flow'] as const;
const windowPredictions = ['ddim_eps', 'diff_eps', 'velocity'] as const;
const predictions = [...noisePredictions, ...flowPredictions, ...windowPredictions] as const;

/** What a U-Net can predict; see src/diffusion/types.ts. */
export type Prediction = (typeof predictions)[number];

/** What a scheduler file may say: `flow_prediction` is the name of diffusers for `flow`. */
export const acceptedPredictions = [...predictions, 'flow_prediction'] as const;

/** Schedulers of flow matching. */
export const flowClasses = /^FlowMatch(?:Euler|Heun)DiscreteScheduler$/;

/** Returns whether a U-Net predicts a velocity between noise and data, without a noise schedule of betas. */
export function predictsFlow(prediction: Prediction): boolean {
  return isOneOf(flowPredictions, prediction);
}

/**
 * Returns what a model predicts: what its scheduler file says, or else the default of its class.
 * @param name the class of the scheduler, if the file names one.
 * @param pipeline `_class_name` of model_index.json.
 * @throws {ModelError} if the file contradicts itself.
 */
export function predictionOf(
  path: string,
  name: string | null,
  pipeline: string,
  given: (typeof acceptedPredictions)[number] | undefined,
): Prediction {
  const prediction = given === 'flow_prediction' ? 'flow' : given;
  // InstaFlow's own pipeline. The file is that of the model from which it was trained, and says "epsilon".
  if (pipeline === 'RectifiedFlowPipeline' && isOneOf(noisePredictions, prediction ?? 'epsilon')) {
    return 'reverse_flow';
  }
  const [usual, ...others] = fittingPredictions(name);
  if (prediction === undefined) return usual;
  const fitting = [usual, ...others];
  if (isOneOf(fitting, prediction)) return prediction;
  throw new ModelError(
    path,
    `prediction_type is "${prediction}", but models with ${name} predict ${fitting.join(' or ')}; correct the file`,
  );
}

/** Returns the parameter defaults that make a model usable whose sampling differs from that of noise predictors. */
export function solverDefaults(
  scheduler: Readonly<Record<string, unknown>> & { readonly prediction_type: Prediction },
): ParameterUpdate {
  const { prediction_type: prediction, _class_name: name, num_time_windows: windows = 4 } = scheduler;
  if (predictsFlow(prediction)) {
    return {
      solver: name === 'FlowMatchHeunDiscreteScheduler' ? name : 'FlowMatchEulerDiscreteScheduler',
      ...(scheduler['stochastic_sampling'] === true && { eta: 1 }),
    };
  }
  if (!isOneOf(windowPredictions, prediction)) return {};
  // A step for each window; two of them for a picture that is half noise.
  return {
    solver: 'PeRFlowScheduler',
    num_inference_steps: Number(windows),
    steps: Math.min(2, Number(windows)),
  };
}

/** Returns what models with a scheduler can predict, the default of its class first. */
function fittingPredictions(name: string | null): readonly [Prediction, ...Prediction[]] {
  if (name !== null && flowClasses.test(name)) return flowPredictions;
  // The files of other classes are often left over from the model that a flow was trained from.
  return name === 'PeRFlowScheduler' ? windowPredictions : predictions;
}

function isOneOf(list: readonly Prediction[], prediction: Prediction): boolean {
  return list.includes(prediction);
}
