import { isPreprocessorName, preprocessorNames, preprocessors } from '../image/preprocess/preprocessors.js';
import type { ModelFolder } from '../model/folder.js';
import { ParameterError } from './engine.js';

/** The part of a model that says which preprocessors of its own it has. */
type Model = Pick<ModelFolder, 'preprocessors'>;

/** A way to make a control picture from a frame. */
export interface PreprocessorFacts {
  /** Its name in the parameters. */
  readonly name: string;
  /** Its name for people. */
  readonly title: string;
  /** Whether a network of the model makes the picture, in the engine; otherwise the main thread does. */
  readonly network: boolean;
}

/** Returns all preprocessors that streams of a model can use. */
export function preprocessorsOf(model: Model): readonly PreprocessorFacts[] {
  return [
    ...preprocessorNames.map((name) => ({ name, title: preprocessors[name].title, network: false })),
    ...model.preprocessors.map(({ name, title }) => ({ name, title, network: true })),
  ];
}

/** @throws {ParameterError} if streams of the model cannot use a preprocessor; the message names those they can. */
export function checkPreprocessor(control: string, name: string, model: Model): void {
  if (isPreprocessorName(name) || model.preprocessors.some((own) => own.name === name)) return;
  const names = preprocessorsOf(model).map((one) => one.name);
  throw new ParameterError(
    'controls',
    `the preprocessor of ${control} must be ${names.join(', ').replace(/, ([^,]*)$/, ' or $1')}, ` +
      `not ${JSON.stringify(name)}`,
  );
}
