import { measureIdle } from './idle/measure.js';
import { report } from './report.js';

/**
 * How long a device waits for the next call: `npm run bench -- idle`. The real engine runs around a device that takes
 * 1, 2, 5 or 10 ms for a U-Net call and a quarter of that for a call of the VAE, which has one picture, at 512x512. With
 * calls of 6.4 ms for one user, or of 16 ms for eight, it has work for about 100 frames per second. The thread that waits
 * for the device spins, as with CUDA, or sleeps.
 */
const at100: Readonly<Record<number, number>> = { 1: 6.4, 8: 16 };
const trials = [1, 8].flatMap((users) =>
  (['spin', 'sleep'] as const).flatMap((waiting) =>
    [1, 2, 5, 6.4, 10, 16].map((unetMs) => ({ users, unetMs, waiting, side: 512, seconds: 2 })),
  ),
);
const warmUp = [1, 8].map(
  (users) => ({ users, unetMs: 0, waiting: 'sleep', side: 512, seconds: 10 }) as const,
);
const idle = await measureIdle(trials, warmUp);
const figures = trials.flatMap(({ users, unetMs, waiting }, i) => {
  const { fps, share, medianMs, medianShare, processorMs, processorShare } = idle[i];
  const scene = `${users} user${users > 1 ? 's' : ''}, U-Net calls of ${unetMs} ms, ${waiting}`;
  const isGoal = unetMs === at100[users];
  return [
    { what: `${scene}: frames per second`, value: fps, unit: '/s' },
    { what: `${scene}: device idle`, value: 100 * share, unit: '%' },
    {
      what: `${scene}: device idle, by the median`,
      value: 100 * medianShare,
      unit: '%',
      ...(isGoal && { goal: 'under 5' }),
    },
    { what: `${scene}: the median between two U-Net calls`, value: medianMs, unit: 'ms' },
    { what: `${scene}: device idle, by processor time`, value: 100 * processorShare, unit: '%' },
    { what: `${scene}: processor time between two U-Net calls`, value: processorMs, unit: 'ms' },
  ];
});
// What the system does not tell is left out.
const known = figures.filter(({ value }) => Number.isFinite(value));
report('idle', known);
