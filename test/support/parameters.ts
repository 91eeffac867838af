import {
  parameterNames,
  parameterSchemas,
  type ParameterName,
  type ParameterSchema,
  type ParameterUpdate,
} from '@millrace/protocol';

/** The solvers that honour each option of solvers, by the protocol. */
export const solversWith: Readonly<Partial<Record<ParameterName, readonly unknown[]>>> = Object.fromEntries(
  parameterNames.flatMap((name) => {
    const solvers = parameterSchemas[name]['x-when']?.['solver'];
    return solvers ? [[name, solvers]] : [];
  }),
);

/** Values of the parameters whose schema says only that there are several forms. */
const composite: ParameterUpdate = {
  prompt: 'another prompt',
  seed: [{ seed: 77, weight: 1 }],
  t_index_list: [12, 22, 32],
  solver_schedule: ['DDIMScheduler', 'DPMSolverMultistepScheduler'],
  controls: { canny: { scale: 0.5 } },
  style_image: Uint8Array.of(2, 1),
};

/** Returns updates that set a parameter to values other than this one; all choices, if it is a choice. */
export function otherUpdates(
  name: ParameterName,
  value: unknown,
  schema: ParameterSchema = parameterSchemas[name],
): readonly ParameterUpdate[] {
  return otherValues(name, value, schema).map((other) => ({ [name]: other }));
}

function otherValues(name: ParameterName, value: unknown, schema: ParameterSchema): readonly unknown[] {
  const { type, enum: choices, minimum = 0, maximum = 1, multipleOf } = schema;
  if (choices) return choices.filter((choice) => choice !== value);
  if (type === 'boolean') return [value !== true];
  if (type === 'string') return [`${String(value)} else`];
  if (type !== 'integer' && type !== 'number') return [composite[name]];
  const step = multipleOf ?? (type === 'integer' ? 1 : (maximum - minimum) / 10);
  const current = Number(value);
  return [current + step <= maximum ? current + step : current - step];
}
