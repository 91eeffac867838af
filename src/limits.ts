import type { SessionLimits } from './session/connection/context.js';
import type { Settings } from './settings/settings.js';

/** Returns the limits of sessions that these settings say. */
export function limitsFrom(settings: Settings): SessionLimits {
  return {
    credits: settings.credits,
    unacknowledgedResults: settings.unacknowledgedResults,
    framePixels: settings.maxFramePixels,
    messageBytes: settings.maxMessageBytes,
    updatesPerSecond: settings.maxUpdatesPerSecond,
    helloTimeoutMs: settings.helloTimeoutSeconds * 1000,
    idleTimeoutMs: settings.idleSeconds * 1000,
    checkpointIntervalMs: settings.checkpointSeconds * 1000,
    // Room for all results that may be on the way, and for thousands of small messages.
    bufferedBytes: 4 * 1024 * 1024 * settings.unacknowledgedResults,
  };
}
