// npm run docs: writes the documents that are generated from code. --check: tells whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import { definitions } from '../../dist/src/metrics/definitions.js';
import { Failure, main, root, say } from './house.mjs';

const path = join(root, 'ops/docs/metrics.md');

await main(async () => {
  const wanted = await format(metricsDocument(), { ...(await resolveConfig(path)), filepath: path });
  if (!process.argv.includes('--check')) return writeFileSync(path, wanted);
  if (readFileSync(path, 'utf8') === wanted) return;
  say('ops/docs/metrics.md does not tell what src/metrics/definitions.ts does: npm run docs');
  throw new Failure();
});

function metricsDocument() {
  const rows = Object.entries(definitions).map(
    ([name, { type, labels = {}, help }]) =>
      `| \`millrace_${name}\` | ${type} | ${labelsText(labels)} | ${help} |`,
  );
  const buckets = Object.entries(definitions)
    .filter(([, { type }]) => type === 'histogram')
    .map(([name, definition]) => `| \`millrace_${name}\` | ${definition.buckets.join(', ')} |`);
  return `# Metrics

<!-- Generated from src/metrics/definitions.ts by \`npm run docs\`. -->

\`GET /metrics\` tells these in the text format of Prometheus. Seconds, bytes and ratios are the units; counters end
in \`_total\` and start at 0 with the server. The values of labels are the ones listed here: nothing that a client
controls becomes one, so their number does not grow with the users. The labels of \`build_info\` are told once, at
the start; GPU series are there where \`nvidia-smi\` is.

| name | type | labels | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

Besides these there are the usual series of a Node.js process, with the same prefix: \`millrace_process_*\`
(processor time, memory, open files, start time) and \`millrace_nodejs_*\` (event-loop lag, heap, garbage
collection, handles). \`millrace_nodejs_eventloop_lag_p99_seconds\` is what the main thread's lag is judged by; its
timer ticks each 10 ms, which is therefore the least that it shows.

Close codes are those of [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455#section-7.4), error codes those of
[the protocol](../../protocol/PROTOCOL.md).

## Buckets

| histogram | upper ends |
| --- | --- |
${buckets.join('\n')}
`;
}

function labelsText(labels) {
  return Object.entries(labels)
    .map(([name, values]) => {
      if (values === null) return `\`${name}\``;
      return values.length > 12 ? `\`${name}\`: ${values.length} codes` : `\`${name}\`: ${values.join(', ')}`;
    })
    .join('; ');
}
