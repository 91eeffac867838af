/** Errors by number of calls. */
export interface Curve {
  readonly name: string;
  readonly points: readonly { readonly calls: number; readonly error: number }[];
}

const rows = 12;
const columnWidth = 8;
const marks = ['o', 'x', '+', '*'];
const colours = ['#888888', '#d1495b', '#00798c', '#edae49'];

interface Scale {
  readonly calls: readonly number[];
  /** Returns the height of an error, from 0 to 1: logarithmic, from the smallest to the largest. */
  readonly height: (error: number) => number;
  readonly low: number;
  readonly high: number;
}

/** Returns a plot of error against calls for a terminal, with its legend. */
export function plotText(curves: readonly Curve[]): string {
  const { calls, height, low, high } = scaleOf(curves);
  const grid = Array.from({ length: rows }, () => Array<string>(calls.length * columnWidth).fill(' '));
  for (const [i, { points }] of curves.entries()) {
    for (const point of points) {
      const row = grid[Math.round((1 - height(point.error)) * (rows - 1))];
      // Curves stand side by side, so that none hides another.
      const column = calls.indexOf(point.calls) * columnWidth + columnWidth / 2 + i;
      if (row) row[column] = marks[i % marks.length] ?? 'o';
    }
  }
  const ends = new Map([
    [0, high.toFixed(4)],
    [rows - 1, low.toFixed(4)],
  ]);
  const lines = grid.map((row, i) => {
    return `${(ends.get(i) ?? '').padStart(8)} |${row.join('')}`.trimEnd();
  });
  const axis = `${' '.repeat(9)}+${'-'.repeat(calls.length * columnWidth)}`;
  const centred = calls.map((count) => `${count}`.padStart(columnWidth / 2 + 1).padEnd(columnWidth)).join('');
  const legend = curves.map(({ name }, i) => `${' '.repeat(10)}${marks[i % marks.length]} ${name}`);
  return [...lines, axis, `${' '.repeat(10)}${centred}`.trimEnd(), ...legend].join('\n');
}

/** Returns the same as an SVG picture. */
export function plotSvg(curves: readonly Curve[], title: string): string {
  const { calls, height, low, high } = scaleOf(curves);
  const [left, top, width, tall] = [60, 40, 420, 240];
  const x = (count: number): number =>
    left + (width * (calls.indexOf(count) + 0.5)) / Math.max(1, calls.length);
  const y = (error: number): number => top + tall * (1 - height(error));
  const number = (value: number): string => value.toFixed(1);
  const drawn = curves.flatMap(({ name, points }, i) => {
    const colour = colours[i % colours.length] ?? '#000000';
    const places = points.map(({ calls: count, error }) => `${number(x(count))},${number(y(error))}`);
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.join(' ')}"/>`,
      ...points.map(
        ({ calls: count, error }) =>
          `<circle cx="${number(x(count))}" cy="${number(y(error))}" r="4" fill="${colour}"><title>${error.toFixed(4)}</title></circle>`,
      ),
      `<text x="${left}" y="${top + tall + 40 + 16 * i}" fill="${colour}">${escape(name)}</text>`,
    ];
  });
  const labels = calls.map(
    (count) => `<text x="${number(x(count))}" y="${top + tall + 18}" text-anchor="middle">${count}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 20}" height="${top + tall + 40 + 16 * curves.length}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${left}" y="20" font-size="14">${escape(title)}</text>`,
    `<path d="M${left} ${top}V${top + tall}H${left + width}" fill="none" stroke="black"/>`,
    `<text x="${left - 6}" y="${top + 4}" text-anchor="end">${high.toFixed(4)}</text>`,
    `<text x="${left - 6}" y="${top + tall + 4}" text-anchor="end">${low.toFixed(4)}</text>`,
    ...labels,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function scaleOf(curves: readonly Curve[]): Scale {
  const points = curves.flatMap((curve) => curve.points);
  const calls = [...new Set(points.map((point) => point.calls))].toSorted((a, b) => a - b);
  const errors = points.map(({ error }) => Math.max(error, 1e-6));
  const [low, high] = [Math.min(...errors), Math.max(...errors)];
  const height = (error: number): number =>
    high > low ? Math.log(Math.max(error, low) / low) / Math.log(high / low) : 0.5;
  return { calls, height, low, high };
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
