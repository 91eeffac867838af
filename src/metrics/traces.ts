import { stageNames } from '@millrace/protocol';
import { ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { FrameTracer, TracedFrame } from './frame-tracer.js';

export interface Traces extends FrameTracer, AsyncDisposable {}

/** How long the shutdown waits for a collector that does not answer, in milliseconds. */
const shutdownMs = 2000;
/** Longest time from capture to arrival that is believed, in milliseconds: the client reports the capture. */
const longestTransit = 60_000;
/** Stages that follow each other at once. Before the last one, the encoding, a frame may wait. */
const stagesBeforeEncoding = stageNames.slice(0, -1);

/**
 * Sends traces to an OpenTelemetry collector: one for each sampled frame, with a span for each stage. The exporter
 * reads its address and headers from the usual environment variables.
 * @param share of the frames, 0 to 1.
 */
export function createTraces({
  version,
  share,
}: {
  readonly version: string;
  readonly share: number;
}): Traces {
  const own = resourceFromAttributes({ 'service.name': 'millrace', 'service.version': version });
  const provider = new BasicTracerProvider({
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('millrace', version);
  const span = (name: string, [from, to]: readonly [number, number], parent: Context): void =>
    tracer.startSpan(name, { startTime: onWallClock(from) }, parent).end(onWallClock(to));

  return {
    sample: () => Math.random() < share,
    record({ sequence, transit, timings, sent, acknowledged }: TracedFrame) {
      const arrived = sent - timings.total;
      const captured = arrived - Math.min(longestTransit, Math.max(0, transit ?? 0));
      const attributes = { 'millrace.sequence': sequence };
      const root = tracer.startSpan('frame', { startTime: onWallClock(captured), attributes }, ROOT_CONTEXT);
      const inside = trace.setSpan(ROOT_CONTEXT, root);
      if (transit !== null) span('receive', [captured, arrived], inside);
      const encoding = sent - timings.image_encode;
      let at = arrived;
      for (const stage of stagesBeforeEncoding) {
        // The engine measures by its own clock: no stage may end after encoding begins.
        const end = Math.min(at + timings[stage], encoding);
        span(stage, [at, end], inside);
        at = end;
      }
      span('image_encode', [encoding, sent], inside);
      if (acknowledged !== null) span('send', [sent, acknowledged], inside);
      root.end(onWallClock(acknowledged ?? sent));
    },
    async [Symbol.asyncDispose]() {
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, shutdownMs)));
      // Traces that cannot be delivered in time are lost.
      await Promise.race([provider.shutdown().catch(() => {}), timeout]);
      clearTimeout(timer);
    },
  };
}

/** Returns the milliseconds since 1970 of a point in time by `performance.now()`. */
function onWallClock(time: number): number {
  return performance.timeOrigin + time;
}
