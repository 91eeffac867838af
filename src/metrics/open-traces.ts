import type { Traces } from './traces.js';

/** Share of the frames that is traced by default. */
const usualShare = 0.01;

/**
 * Opens traces if the environment names a collector (OTEL_EXPORTER_OTLP_ENDPOINT of OpenTelemetry); otherwise their
 * libraries are not loaded.
 * @throws {Error} if OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1.
 */
export async function openTraces(
  version: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Traces | null> {
  const endpoint =
    environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!endpoint || environment['OTEL_SDK_DISABLED'] === 'true') return null;
  const text = environment['OTEL_TRACES_SAMPLER_ARG'] || `${usualShare}`;
  const share = Number(text);
  if (!(share >= 0 && share <= 1)) {
    throw new Error(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not ${JSON.stringify(text)}`);
  }
  const { createTraces } = await import('./traces.js');
  return createTraces({ version, share });
}
