import { connect } from '@millrace/client';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { openTraces } from '../../src/metrics/open-traces.js';
import { realJpegs } from '../support/pictures.js';
import { startServer } from '../support/server.js';

/** The fields of a span in OTLP's JSON encoding that the test needs. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly {
        readonly key: string;
        readonly value: { readonly stringValue?: string };
      }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const stages = ['receive', 'decode', 'queue', 'encode', 'denoise', 'vae_decode', 'image_encode', 'send'];

describe('traces', () => {
  const bodies: string[] = [];
  const paths = new Set<string | undefined>();
  const collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      paths.add(request.url);
      bodies.push(body);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  before(async () => {
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    const { port } = collector.address() as AddressInfo;
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${port}`;
    process.env['OTEL_SERVICE_NAME'] = 'painter';
    process.env['OTEL_TRACES_SAMPLER_ARG'] = '1';
  });
  after(() => {
    collector.close();
    collector.closeAllConnections();
  });

  it('reach a collector: one per frame, with a span per stage and no text of the client', async () => {
    const frames = 3;
    {
      await using server = await startServer();
      await server.app.ready();
      await using stream = await connect(server.url, {
        webSocket: WebSocket,
        client: 'somebody private',
        parameters: { prompt: 'a secret garden', width: 64, height: 64 },
      });
      const [jpeg] = await realJpegs(64, 64);
      const results = stream.frames();
      for (let frame = 0; frame < frames; frame++) {
        stream.send(jpeg);
        await results.next();
      }
      // Asking for the next result acknowledges the last one as displayed.
      await results.return?.();
    }
    const requests = bodies.map((body) => JSON.parse(body) as TraceRequest);
    const resources = requests.flatMap(({ resourceSpans }) => resourceSpans);
    const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
    const roots = spans.filter(({ name }) => name === 'frame');
    assert.equal(roots.length, frames);
    assert.equal(new Set(roots.map(({ traceId }) => traceId)).size, frames);
    for (const root of roots) {
      const inside = spans.filter(({ parentSpanId }) => parentSpanId === root.spanId);
      assert.deepEqual(
        inside.map(({ name }) => name),
        stages,
      );
      let at = BigInt(root.startTimeUnixNano);
      for (const { traceId, startTimeUnixNano: from, endTimeUnixNano: to } of inside) {
        assert.equal(traceId, root.traceId);
        assert.ok(BigInt(from) >= at && BigInt(to) >= BigInt(from));
        at = BigInt(to);
      }
      assert.equal(at, BigInt(root.endTimeUnixNano));
      assert.ok(Math.abs(Number(at / 1_000_000n) - Date.now()) < 60_000);
    }
    assert.deepEqual([...paths], ['/v1/traces']);
    const names = resources.flatMap(({ resource }) => resource.attributes);
    assert.equal(names.find(({ key }) => key === 'service.name')?.value.stringValue, 'painter');
    assert.doesNotMatch(bodies.join('\n'), /secret garden|somebody private/);
  });

  it('are off without a collector, or if they are disabled', async () => {
    assert.equal(await openTraces('1.0.0', {}), null);
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    assert.equal(await openTraces('1.0.0', { ...endpoint, OTEL_SDK_DISABLED: 'true' }), null);
  });

  it('cover the requested share of frames, by default one in a hundred', async () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    for (const [text, least, most] of [
      ['', 40, 200],
      ['0', 0, 0],
      ['1', 10_000, 10_000],
    ] as const) {
      await using traces = await openTraces('1.0.0', { ...endpoint, OTEL_TRACES_SAMPLER_ARG: text });
      let sampled = 0;
      for (let i = 0; i < 10_000; i++) if (traces?.sample()) sampled += 1;
      assert.ok(sampled >= least && sampled <= most, `${sampled}`);
    }
    for (const text of ['much', '-1', '2']) {
      await assert.rejects(
        openTraces('1.0.0', { ...endpoint, OTEL_TRACES_SAMPLER_ARG: text }),
        /OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1/,
      );
    }
  });
});
