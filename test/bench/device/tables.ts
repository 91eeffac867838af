import type { DeviceResults, StepResults } from './measure.js';

/** Returns the results as two tables: one user with several numbers of steps, and several users. */
export function renderDevice({ steps, users, noTorch }: DeviceResults): string {
  const [torch] = steps.flatMap(({ torch: each }) => each ?? []);
  const beside = torch
    ? `beside ${torch.versions} on ${torch.device}`
    : `without torch: ${noTorch ?? 'not measured yet'}`;
  return [
    `One user, by steps (${beside})`,
    '"stream": a call has a row for each step; "in turn": one call a step. Milliseconds are of the networks alone.',
    table([
      [
        'steps',
        'encode ms',
        'U-Net ms',
        'decode ms',
        'stream fps',
        'p50 ms',
        'idle %',
        'in turn fps',
        'p50 ms',
      ],
      ...steps.map(oursOf),
    ]),
    ...(torch
      ? [
          'torch, stream batch',
          table([
            ['steps', 'encode ms', 'U-Net ms', 'decode ms', 'stream fps', 'ours over torch'],
            ...steps.map(torchOf),
          ]),
        ]
      : []),
    'Users of one server, each with a camera of 30 frames a second',
    table([
      ['users', 'served', 'fps each: least', 'most', 'sum', 'p50 ms', 'p95 ms'],
      ...users.map(({ users: count, figures }) => [
        `${count}`,
        figures ? `${figures.served}` : '-',
        ...numbers(figures?.each.at(0), figures?.each.at(-1), figures?.sum),
        ...numbers(figures?.latencyMs?.p50, figures?.latencyMs?.p95),
      ]),
    ]),
  ].join('\n');
}

function oursOf({ steps, networks, stream, sequential }: StepResults): readonly string[] {
  const idle = stream && 100 * stream.idleShare;
  return [
    `${steps}`,
    ...numbers(networks?.encodeMs, networks?.unetMs, networks?.decodeMs),
    ...numbers(stream?.fps, stream?.latencyMs, idle, sequential?.fps, sequential?.latencyMs),
  ];
}

function torchOf({ steps, stream, torch }: StepResults): readonly string[] {
  const ratio = stream && torch && stream.fps / torch.fps;
  return [`${steps}`, ...numbers(torch?.encodeMs, torch?.unetMs, torch?.decodeMs, torch?.fps, ratio)];
}

/** Returns numbers with as many digits as a reader needs; a dash stands for what was not measured. */
function numbers(...values: readonly (number | null | undefined)[]): readonly string[] {
  return values.map((value) => value?.toFixed(value < 10 ? 2 : 1) ?? '-');
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '));
  return `${lines.map((line) => `  ${line}`).join('\n')}\n`;
}
