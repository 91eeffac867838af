import { relative } from 'node:path';
import type { ModelFolder } from '../../../model/folder.js';
import { cost, type CostCurve } from '../../costs.js';

/**
 * What the export of a model cannot do, how that is worked around, and what it costs by the measured curve: one
 * sentence each.
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
    notes.push(
      `${file} takes 1 row at a time: 2 rows are two calls (${ms(2)} instead of one); ${again('batch size')}`,
    );
  } else if (unet.rows !== null) {
    notes.push(
      `${file} takes exactly ${unet.rows} rows: calls with fewer are filled up ` +
        `(1 row costs ${ms(1)}, ${unet.rows} rows ${ms(unet.rows)}); ${again('batch size')}`,
    );
  }
  if (!mixesTimesteps && unet.rows !== 1) {
    const apart = `${(2 * cost(costs, 1)).toPrecision(3)} ms`;
    notes.push(
      `${file} takes one timestep for all rows: rows at other steps make calls of their own ` +
        `(2 rows at one step cost ${ms(2)}, at two steps ${apart}); ${again('timestep for each row')}`,
    );
  }
  const { width, height } = folder.fixedSize;
  if (width !== undefined || height !== undefined) {
    const size = `${width ?? 'any width'} x ${height ?? 'any height'}`;
    notes.push(`the model was exported for pictures of ${size} alone; ${again('height and width')}`);
  }
  return notes;
}

function again(what: string): string {
  return `export it again with a free ${what}`;
}
