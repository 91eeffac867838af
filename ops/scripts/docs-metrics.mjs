// The document of the metrics, from src/metrics/definitions.ts.
import { definitions } from '../../dist/src/metrics/definitions.js';

/** Returns ops/docs/metrics.md. */
export function metricsDocument() {
  const rows = Object.entries(definitions).map(
    ([name, { type, labels = {}, help }]) =>
      `| \`millrace_${name}\` | ${type} | ${labelsText(labels)} | ${help} |`,
  );
  const buckets = Object.entries(definitions)
    .filter(([, { type }]) => type === 'histogram')
    .map(([name, definition]) => `| \`millrace_${name}\` | ${definition.buckets.join(', ')} |`);
  return `# Metrics

<!-- Generated from src/metrics/definitions.ts by \`npm run docs\`. -->

\`GET /metrics\` returns these in the text format of Prometheus. Units are seconds, bytes and ratios; counters end in
\`_total\` and start at 0 with the server. Labels have only the values listed here: nothing that a client controls
becomes a label, so the number of series does not grow with the users. The labels of \`build_info\` are set once, at
the start; GPU series exist only where \`nvidia-smi\` is installed.

| name | type | labels | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

The usual series of a Node.js process have the same prefix: \`millrace_process_*\` (CPU time, memory, open files,
start time) and \`millrace_nodejs_*\` (event-loop lag, heap, garbage collection, handles).
\`millrace_nodejs_eventloop_lag_p99_seconds\` shows the lag of the main thread; its timer ticks every 10 ms, so it
never shows less.

Close codes are those of [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455#section-7.4), error codes those of
[the protocol](../../protocol/PROTOCOL.md).

## Buckets

| histogram | upper bounds |
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
