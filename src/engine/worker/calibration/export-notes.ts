import { relative } from 'node:path';
import type { ModelFolder } from '../../../model/folder.js';
import { cost, type CostCurve } from '../../costs.js';

/**
 * Returns a sentence for each limit of a model's export, with the workaround and its measured cost.
 * @param mixesTimesteps whether a U-Net call can take rows at several timesteps.
 */
export function exportNotes(
  folder: ModelFolder,
  mixesTimesteps: boolean,
  costs: CostCurve,
): readonly string[] {
  const { unet } = folder.layout;
  const file = relative(folder.root, unet.graph.file);
  const ms = (rows: number): string => `${cost(costs, rows).toPrecision(3)} ms`;
  const notes: string[] = [];
  if (unet.rows === 1) {
    notes.push(`${file} takes 1 row at a time: 2 rows need two calls (${ms(2)}); ${again('batch size')}`);
  } else if (unet.rows !== null) {
    notes.push(
      `${file} takes exactly ${unet.rows} rows: smaller calls are padded ` +
        `(1 row costs ${ms(1)}, ${unet.rows} rows ${ms(unet.rows)}); ${again('batch size')}`,
    );
  }
  if (!mixesTimesteps && unet.rows !== 1) {
    const apart = `${(2 * cost(costs, 1)).toPrecision(3)} ms`;
    notes.push(
      `${file} takes one timestep for all rows: rows at different steps need separate calls ` +
        `(2 rows at one step cost ${ms(2)}, at two steps ${apart}); ${again('timestep for each row')}`,
    );
  }
  const { width, height } = folder.fixedSize;
  if (width !== undefined || height !== undefined) {
    const size = `${width ?? 'any width'} x ${height ?? 'any height'}`;
    notes.push(`the model was exported for pictures of ${size} only; ${again('height and width')}`);
  }
  return notes;
}

function again(what: string): string {
  return `export it again with a dynamic ${what}`;
}
