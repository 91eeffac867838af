import { join } from 'node:path';
import { readPictures } from '../../src/cli/bench-load/pictures.js';
import { reportLoad, renderLoad, type LoadReport } from '../../src/cli/bench-load/load-report.js';
import { runLoad } from '../../src/cli/bench-load/run-load.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer } from '../support/server-process.js';
import { report, type Figure } from './report.js';

/**
 * Half, nearly all, all, and more of the sessions that a server has slots for: `npm run bench -- load`. At the limit
 * each session gets the service level; above it new sessions wait, and the others get the same as before. Clients,
 * server and other programs share the CPU, so the number of slots is read again before each load.
 */
const slo = { fps: 2, latency: 0.5 };
const seconds = 15;
const shares = [0.5, 0.9, 1, 1.5];
const side = 256;
const signal = new AbortController().signal;

const pictures = await readPictures(
  join(repositoryRoot, 'test/fixtures/videos/walkers.mp4'),
  { width: side, height: side },
  signal,
);
const limits = ['--max-connections-per-address', '256', '--grace-seconds', '0', '--cache-directory', ''];
const sloFlags = ['--slo-fps', `${slo.fps}`, '--slo-latency-seconds', `${slo.latency}`];
await using server = await startServer(...sloFlags, ...limits);

async function slotsNow(): Promise<number> {
  const slots = (await server.metrics('millrace_session_slots ')).values().next().value;
  if (slots === undefined) throw new Error('the server reports no number of slots');
  return slots;
}

async function load(sessions: number): Promise<LoadReport> {
  const facts = { url: server.url, sessions, fps: slo.fps, seconds };
  const behaviour = {
    url: server.url,
    token: undefined,
    parameters: { width: side, height: side },
    fps: slo.fps,
  };
  const results = await runLoad({ ...behaviour, pictures, sessions, seconds, processes: 2, signal });
  return reportLoad({ ...facts, width: side, height: side }, results);
}

const calibrated = await slotsNow();
// Calibration had the whole machine; a load shows how many slots are left next to all these clients.
await load(calibrated);
const figures: Figure[] = [
  { what: `slots for ${slo.fps} frames a second, by calibration`, value: calibrated, unit: '' },
  { what: 'slots after a load', value: await slotsNow(), unit: '' },
];
for (const share of shares) {
  const slots = await slotsNow();
  const sessions = Math.max(1, Math.round(slots * share));
  const result = await load(sessions);
  console.log(renderLoad(result));
  const { outcomes, total, slowest_fps: slowest } = result;
  const at = `${share * 100}% (${sessions} of ${slots})`;
  const { p50 = NaN, p95 = NaN, p99 = NaN } = total.latency_ms ?? {};
  const lost = Object.values(total.dropped).reduce((sum, count) => sum + count, 0);
  figures.push(
    { what: `${at}: served`, value: outcomes.served, unit: '' },
    { what: `${at}: waiting or refused`, value: outcomes.waiting + outcomes.refused, unit: '' },
    {
      what: `${at}: frames a second of the slowest`,
      value: slowest ?? NaN,
      unit: '/s',
      goal: `at least ${0.95 * slo.fps}`,
    },
    { what: `${at}: latency p50`, value: p50, unit: 'ms' },
    { what: `${at}: latency p95`, value: p95, unit: 'ms', goal: `at most ${1000 * slo.latency}` },
    { what: `${at}: latency p99`, value: p99, unit: 'ms' },
    { what: `${at}: dropped`, value: (100 * lost) / Math.max(1, total.sent), unit: '%' },
  );
}

report('load', figures);
