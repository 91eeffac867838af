import type { StreamParameters } from '@millrace/protocol';
import { Command } from 'commander';
import { styleText } from 'node:util';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { oneLine } from '../engine/as-error.js';
import { createEngines, engineSettings } from '../engine/host/engine-group.js';
import { frameWork, framesPerSecond } from '../engine/costs.js';
import { probeProviders } from '../engine/host/probe-providers.js';
import { readModelFolder } from '../model/folder.js';
import { version } from '../package.js';
import { createParameterRules } from '../session/live/parameter-rules.js';
import { slotsIn } from '../session/admission/slo.js';
import { checkLayout, inspectModel, inspectParts } from './doctor/inspect.js';
import { render } from './doctor/render.js';
import type { Check, DoctorReport, PerformanceReport } from './doctor/report.js';
import { addEngineOptions, readEngineSettings, type EngineFlags } from './engine-options.js';
import { interruptible, rejection } from './interruptible.js';
import { findModel } from './model-source.js';
import { Progress } from './run/progress.js';
import { readProcessors } from '../settings/processors.js';
import type { Settings } from '../settings/settings.js';

interface DoctorOptions extends EngineFlags {
  readonly json?: true;
  readonly fresh?: true;
}

const epilogue = `
Loads the model and times it: a model that passes can be served.

Exit codes: 0 all is well, 1 something does not work, 130 interrupted.`;

/** Usual rates of live video, reported besides the rate of the SLO. */
const usualRates = [10, 15, 20, 30];

/** `millrace doctor`: reports what a model can do on this machine. */
export function createDoctorCommand(): Command {
  return addEngineOptions(new Command('doctor'))
    .description('report what works here, what it costs, and what to change')
    .option('--json', 'print the findings as JSON')
    .option('--fresh', 'measure now: short for --calibration fresh')
    .addHelpText('after', epilogue)
    .action((options: DoctorOptions) =>
      interruptible(
        async (signal) => {
          const report = await examine(options, signal);
          const text = options.json ? `${JSON.stringify(report)}\n` : forTerminal(report, process.stdout);
          process.stdout.write(text);
          if (report.checks.some(({ level }) => level === 'bad')) process.exitCode = 1;
        },
        { explain: oneLine },
      ),
    );
}

function forTerminal(report: DoctorReport, { isTTY, columns }: NodeJS.WriteStream): string {
  const width = Math.min(columns || 80, 120);
  return isTTY ? render(report, width, (title) => styleText('bold', title)) : render(report, width);
}

async function examine(options: DoctorOptions, signal: AbortSignal): Promise<DoctorReport> {
  const settings = readEngineSettings(options.fresh ? { ...options, calibration: 'fresh' } : options);
  const root = await findModel(settings.model, signal);
  const model = await readModelFolder(root);
  const processors = readProcessors();
  const notes: Check[] = [];
  const performance = await measure({ ...settings, model: root }, createParameterRules(model).defaults, {
    note: (check) => notes.push(check),
    signal,
  });
  return {
    version,
    system: {
      node: process.versions.node,
      platform: `${platform()} ${release()} ${arch()}`,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      usable_cores: processors.usable,
      cpu_quota: processors.quota,
      threads: settings.threads,
      memory_bytes: totalmem(),
    },
    model: inspectModel(model),
    parts: await inspectParts(model),
    checks: [...checkLayout(model, performance?.device ?? null), ...notes],
    providers: await probeProviders(),
    performance,
  };
}

interface Measuring {
  readonly note: (check: Check) => void;
  readonly signal: AbortSignal;
}

/** Starts the engine and times it. @returns null if it cannot be started; a note says why. */
async function measure(
  settings: Settings,
  parameters: StreamParameters,
  { note, signal }: Measuring,
): Promise<PerformanceReport | null> {
  using progress = new Progress(process.stderr);
  await using engine = createEngines({
    model: settings.model,
    ...engineSettings(settings),
    observer: {
      onState: (state) => 'what' in state && progress.loading(state.what),
      onNote: (text) => note({ level: 'note', text }),
      onEvent: () => {},
    },
  });
  try {
    await Promise.race([engine.start(), rejection(signal)]);
  } catch (error) {
    if (signal.aborted) throw error;
    note({ level: 'bad', text: oneLine(error) });
  }
  const { state } = engine;
  if (state.name !== 'ready') return null;
  const { sloFps, sloLatencySeconds: latencySeconds } = settings;
  const fps = framesPerSecond(state, parameters);
  const one = frameWork(state, parameters);
  const rates = [...new Set(sloFps > 0 ? [sloFps, ...usualRates] : usualRates)].sort((a, b) => a - b);
  return {
    device: state.device,
    calibration: { at: state.calibration.at.toISOString(), kept: state.calibration.isKept },
    unet: state.costs,
    picture_ms: state.pictureMs,
    pictures: (state.pictureCosts ?? []).map(({ rows, ms }) => ({ pictures: rows, ms })),
    frames_per_second: fps,
    sessions: rates.map((rate) => ({
      fps: rate,
      sessions: slotsIn({ fps: rate, latencySeconds }, state, { there: [], one, most: Infinity }),
    })),
  };
}
