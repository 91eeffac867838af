import { calibrationDate } from '../../engine/calibration-date.js';
import type { DoctorReport, PartReport, PerformanceReport } from './report.js';
import { table, wrap } from './table.js';

/**
 * Returns the report as text, in lines that are no longer than the width as far as words allow.
 * @param heading formats the title of a section.
 */
export function render(
  report: DoctorReport,
  width: number,
  heading: (title: string) => string = (title) => title,
): string {
  const { system, model, parts, checks, providers, performance } = report;
  const [defaultWidth, defaultHeight] = model.size.default;
  const sizes = model.size.fixed ? 'the only size' : `or other multiples of ${model.size.multiple_of}`;
  const { latent, text } = model;
  const shift = latent.shift === 0 ? '' : `, shift ${latent.shift}`;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [
      'Machine',
      table(
        [
          ['millrace', report.version],
          ['system', `${system.platform}, Node ${system.node}`],
          ['processor', `${system.cores} x ${system.processor}, ${bytes(system.memory_bytes)} of memory`],
          ['threads', threads(system)],
        ],
        width,
      ),
    ],
    [
      'Model',
      table(
        [
          ['name', model.name],
          ['folder', model.folder],
          ['kind', model.kind],
          ['pictures', `${defaultWidth} x ${defaultHeight}, ${sizes}`],
          [
            'latents',
            `${latent.channels} channels, one value for ${latent.pixels} x ${latent.pixels} pixels, scale ${latent.scale}${shift}`,
          ],
          ['prompts', `${text.tokens} tokens, ${text.width} values each`],
        ],
        width,
      ),
    ],
    ['Parts', parts.flatMap((part) => renderPart(part, width))],
    [
      'Checks',
      table(
        checks.map(({ level, text: line }) => [level, line]),
        width,
      ),
    ],
    [
      'Devices',
      table(
        providers.map(({ provider, reason }) => [provider, reason === null ? 'works' : `no: ${reason}`]),
        width,
      ),
    ],
    ...(performance ? [['Speed', renderPerformance(performance, report, width)] as const] : []),
  ];
  return sections.map(([title, lines]) => `${heading(title)}\n${lines.join('\n')}\n`).join('\n');
}

/** Returns how many threads a call has, and what limits them. */
function threads({
  cores,
  usable_cores: usable,
  cpu_quota: quota,
  threads: count,
}: DoctorReport['system']): string {
  if (quota !== null && quota < cores) {
    return `${count}; this process may use ${round(quota)} of the ${cores} processors (quota of its control group)`;
  }
  return usable < cores
    ? `${count}; this process may use ${usable} of the ${cores} processors`
    : String(count);
}

function renderPart(
  { part, file, bytes: size, weights, inputs, outputs }: PartReport,
  width: number,
): string[] {
  const ports = [
    ...inputs.map((port, i) => [i === 0 ? 'in' : '', port]),
    ...outputs.map((port, i) => [i === 0 ? 'out' : '', port]),
  ];
  return [`  ${part}: ${file}, ${weights}, ${bytes(size)}`, ...table(ports, width, '    ')];
}

function renderPerformance(
  {
    device,
    calibration,
    unet,
    picture_ms: picture,
    pictures,
    frames_per_second: fps,
    sessions,
  }: PerformanceReport,
  { model }: DoctorReport,
  width: number,
): string[] {
  const size = model.size.default.join(' x ');
  const steps = model.defaults.steps ?? 1;
  const date = calibrationDate({ at: new Date(calibration.at), isKept: calibration.kept });
  const measured = calibration.kept ? `${date}, --fresh measures again` : date;
  return [
    ...wrap(
      `U-Net on ${device} at ${size}; decoding and encoding a picture adds ${ms(picture)} (${measured}):`,
      width - 2,
    ).map((line) => `  ${line}`),
    ...numbers([
      ['rows', ...unet.map(({ rows }) => String(rows))],
      ['ms', ...unet.map((point) => round(point.ms))],
      ['ms a row', ...unet.map((point) => round(point.ms / point.rows))],
    ]),
    ...(pictures.length > 1
      ? numbers([
          ['pictures', ...pictures.map((point) => String(point.pictures))],
          ['ms', ...pictures.map((point) => round(point.ms))],
          ['ms a picture', ...pictures.map((point) => round(point.ms / point.pictures))],
        ])
      : []),
    '',
    ...wrap(
      `In total ${round(fps)} frames a second at the default parameters (${steps === 1 ? '1 step' : `${steps} steps`}). Sessions at the same time, by the rate of each:`,
      width - 2,
    ).map((line) => `  ${line}`),
    ...numbers([
      ['frames a second', ...sessions.map((entry) => String(entry.fps))],
      ['sessions', ...sessions.map((entry) => String(entry.sessions))],
    ]),
  ];
}

/** Lays rows of numbers out below each other, right-aligned. */
function numbers(rows: readonly (readonly string[])[]): string[] {
  const heading = Math.max(...rows.map(([name = '']) => name.length));
  const cell = Math.max(...rows.flatMap(([, ...cells]) => cells.map(({ length }) => length)));
  return rows.map(([name = '', ...cells]) => {
    return `    ${name.padEnd(heading)}${cells.map((text) => `  ${text.padStart(cell)}`).join('')}`;
  });
}

function ms(value: number): string {
  return `${round(value)} ms`;
}

/** Rounds to three digits: measurements are no more precise. */
function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${round(count / 1000 ** unit)} ${units[unit]}`;
}
