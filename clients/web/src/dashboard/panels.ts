import { stageNames, type CurveName, type History, type Stage } from '@millrace/protocol';
import { stageWords } from '../stage-words.js';
import { bytes, ms, percent, plain } from './format.js';

export interface Curve {
  /** Its name in the server's history. */
  readonly key: CurveName;
  readonly name: string;
  readonly color: string;
  /** Whether it is a limit rather than a measurement. */
  readonly dashed?: boolean;
}

export interface Panel {
  readonly title: string;
  /** What the numbers mean. */
  readonly hint: string;
  readonly curves: readonly Curve[];
  readonly format: (value: number | null | undefined) => string;
  /** The lowest maximum of the scale. */
  readonly least: number;
  /** Whether the curves are parts of one whole. */
  readonly stacked?: boolean;
  /** Whether it is shown only if there is data. */
  readonly optional?: boolean;
}

const mint = '#8ee6d3';
const blue = '#7fb2e5';
const lime = '#d9e8a0';
const amber = '#f5c583';
const rose = '#ff9d94';
const violet = '#c3a6f0';
const grey = '#7d8a8e';

const stageColors: Readonly<Record<Stage, string>> = {
  decode: '#5b7c8d',
  queue: '#45525a',
  encode: '#6fb3b8',
  denoise: mint,
  vae_decode: lime,
  image_encode: amber,
};

/** All panels, in order. */
const panels: readonly Panel[] = [
  {
    title: 'Frames',
    hint: 'per second, all users',
    format: plain,
    least: 5,
    curves: [
      { key: 'received', name: 'in', color: blue },
      { key: 'generated', name: 'generated', color: lime },
      { key: 'sent', name: 'out', color: mint },
    ],
  },
  {
    title: 'Latency',
    hint: 'arrival to sending; stale: until shown',
    format: ms,
    least: 50,
    curves: [
      { key: 'latency_p50', name: 'p50', color: mint },
      { key: 'latency_p95', name: 'p95', color: lime },
      { key: 'staleness_p95', name: 'stale p95', color: amber },
    ],
  },
  {
    title: 'Sessions',
    hint: 'now',
    format: plain,
    least: 2,
    curves: [
      { key: 'active', name: 'active', color: mint },
      { key: 'queued', name: 'waiting', color: amber },
      { key: 'parked', name: 'parked', color: blue },
      { key: 'limited', name: 'limited', color: rose },
      { key: 'slots', name: 'slots', color: grey, dashed: true },
    ],
  },
  {
    title: 'Where the time goes',
    hint: 'mean per frame',
    format: ms,
    least: 10,
    stacked: true,
    curves: stageNames.map((stage) => ({
      key: `stage_${stage}` as const,
      name: stageWords[stage],
      color: stageColors[stage],
    })),
  },
  {
    title: 'Frames without a result',
    hint: 'per second',
    format: plain,
    least: 1,
    curves: [
      { key: 'superseded', name: 'superseded', color: grey },
      { key: 'skipped', name: 'similar', color: blue },
      { key: 'lost', name: 'lost', color: rose },
    ],
  },
  {
    title: 'Batch',
    hint: 'rows per U-Net call',
    format: plain,
    least: 2,
    curves: [{ key: 'rows_per_call', name: 'rows', color: mint }],
  },
  {
    title: 'Session events',
    hint: 'per minute',
    format: plain,
    least: 5,
    curves: [
      { key: 'opened_per_minute', name: 'opened', color: mint },
      { key: 'resumed_per_minute', name: 'resumed', color: blue },
      { key: 'closed_per_minute', name: 'closed', color: grey },
      { key: 'updates_per_minute', name: 'updates', color: lime },
    ],
  },
  {
    title: 'Errors and refusals',
    hint: 'per minute',
    format: plain,
    least: 5,
    curves: [
      { key: 'errors_per_minute', name: 'errors', color: rose },
      { key: 'refused_per_minute', name: 'full', color: amber },
      { key: 'unauthorized_per_minute', name: 'wrong token', color: lime },
      { key: 'rate_limited_per_minute', name: 'rate limited', color: blue },
      { key: 'restarts_per_minute', name: 'engine restarts', color: violet },
    ],
  },
  {
    title: 'Network',
    hint: 'per second',
    format: bytes,
    least: 1000,
    curves: [
      { key: 'bytes_in', name: 'in', color: blue },
      { key: 'bytes_out', name: 'out', color: mint },
      { key: 'buffered', name: 'buffered', color: amber },
    ],
  },
  {
    title: 'Load',
    hint: 'share of time; stolen: given to others by the host',
    format: percent,
    least: 1,
    curves: [
      { key: 'engine_busy', name: 'engine', color: mint },
      { key: 'machine_busy', name: 'machine', color: blue },
      { key: 'machine_steal', name: 'stolen', color: rose },
    ],
  },
  {
    title: 'Processor',
    hint: 'cores in use',
    format: plain,
    least: 1,
    curves: [{ key: 'processor', name: 'cores', color: mint }],
  },
  {
    title: 'Main thread',
    hint: 'share of time busy',
    format: percent,
    least: 1,
    curves: [{ key: 'main_thread', name: 'busy', color: lime }],
  },
  {
    title: 'Memory',
    hint: 'of the process',
    format: bytes,
    least: 1e8,
    curves: [{ key: 'memory', name: 'resident', color: blue }],
  },
  {
    title: 'GPU',
    hint: 'share of time busy',
    format: percent,
    least: 1,
    optional: true,
    curves: [{ key: 'gpu_utilization', name: 'busy', color: mint }],
  },
  {
    title: 'GPU memory',
    hint: 'of all GPUs, all programs',
    format: bytes,
    least: 1e9,
    optional: true,
    curves: [
      { key: 'gpu_memory_used', name: 'in use', color: blue },
      { key: 'gpu_memory_total', name: 'total', color: grey, dashed: true },
    ],
  },
];

/** Returns the panels to draw for this history. */
export function panelsFor({ series }: History): readonly Panel[] {
  const hasData = (key: CurveName): boolean => (series[key] ?? []).some((value) => value !== null);
  return panels.filter(({ optional = false, curves }) => !optional || curves.some(({ key }) => hasData(key)));
}
