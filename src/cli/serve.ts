import { Command, Option } from 'commander';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { App } from '../app.js';
import { oneLine } from '../engine/as-error.js';
import { accessSettings, asksForTokens } from '../session/access/access.js';
import { readNetworks } from '../transport/client-addresses.js';
import { isLoopback } from '../transport/origin.js';
import { codeOf } from './error-code.js';
import { isLocal, localPromise } from './local-promise.js';
import { createLogger } from './logger.js';
import { findModel } from './model-source.js';
import { flagOf, variableOf, type Setting } from '../settings/setting.js';
import { readSettings, SettingsError, type Settings } from '../settings/settings.js';
import { settingsTable, type SettingName } from '../settings/settings-table.js';

/** Headings of the help, by the setting below them. */
const headings: Readonly<Record<string, string>> = {
  port: 'Address:',
  apiKeys: 'Access:',
  model: 'Model and device:',
  maxSessions: 'Capacity:',
  credits: 'Limits of a client:',
  helloTimeoutSeconds: 'Times:',
  resumeKey: 'Lost connections and restarts:',
  logLevel: 'Logs:',
} satisfies Partial<Record<SettingName, string>>;

/**
 * `millrace serve`: runs the server until a signal stops it. Exit codes: 0 stopped, 1 failed, 2 wrong settings; killed
 * by the signal itself if an inference call does not end in time.
 */
export function createServeCommand(): Command {
  const command = new Command('serve').description('serve the page, the streams and the metrics');
  let heading = '';
  for (const [name, setting] of Object.entries(settingsTable)) {
    const description = `${setting.description} (${variableOf(name)}${usualOf(setting)})`;
    heading = headings[name] ?? heading;
    command.addOption(new Option(flagsOf(name, setting), description).helpGroup(heading));
  }
  command.option('--config <file>', 'JSON file with settings; flags and environment variables win over it');
  command.action(async (options: Readonly<Record<string, unknown>>) => {
    const { config, ...flags } = options;
    const file = typeof config === 'string' ? { file: config } : {};
    const sources = { flags, environment: process.env, ...file };
    try {
      const usual = readSettings(sources);
      const settings = isLocal(usual) ? readSettings({ ...sources, defaults: localPromise }) : usual;
      checkAccess(settings);
      checkProxies(settings);
      process.exitCode = await serve(settings);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      complain(error.message);
      process.exitCode = 2;
    }
  });
  return command;
}

function flagsOf(name: string, { type }: Setting): string {
  return type === 'switch' ? flagOf(name) : `${flagOf(name)} <${type}>`;
}

function usualOf(setting: Setting): string {
  const usual = setting.defaultText ?? String(setting.default);
  return setting.type === 'switch' || usual === '' ? '' : `; default ${usual}`;
}

function checkAccess(settings: Settings): void {
  const { host, insecureNoAuth } = settings;
  if (insecureNoAuth || isLoopback(host) || asksForTokens(accessSettings(settings))) return;
  throw new SettingsError(
    `--host ${host} can be reached by others, who could all use the server; require tokens with --api-keys, ` +
      '--jwt-secret or --jwt-keys, or add --insecure-no-auth if that is what you want',
  );
}

function checkProxies({ trustedProxies }: Settings): void {
  try {
    readNetworks(trustedProxies);
  } catch (error) {
    throw new SettingsError(`--trusted-proxies: ${oneLine(error)}`);
  }
}

async function serve(settings: Settings): Promise<number> {
  const log = await createLogger(settings);
  const interrupt = new AbortController();
  const signal = untilSignal(log).finally(() => interrupt.abort());
  const { createApp } = await import('../app.js');
  try {
    interrupt.signal.throwIfAborted();
    const model = await findModel(settings.model, interrupt.signal);
    const app = await createApp({ ...settings, model }, log);
    process.on('uncaughtException', (error) => app.reportUnhandled(error));
    const end = await runApp(app, signal, interrupt.signal, log);
    if (end instanceof Error) complain(oneLine(end));
    if (app.hanging) await endBySignal(end instanceof Error ? 'SIGKILL' : end, log);
    return end instanceof Error ? 1 : 0;
  } catch (error) {
    if (interrupt.signal.aborted) return 0;
    complain(explain(error, settings));
    return 1;
  }
}

/** Runs the app. @returns the signal or the failure that ended it. */
async function runApp(
  app: App,
  signal: Promise<NodeJS.Signals>,
  interrupt: AbortSignal,
  log: Logger,
): Promise<NodeJS.Signals | Error> {
  await using running = app;
  if (interrupt.aborted) return await signal;
  const address = await running.listen();
  running.ready().then(
    () => announce(address, log),
    () => {}, // app.failed reports it.
  );
  const end = await Promise.race([signal, running.failed]);
  // After Ctrl-C there is usually no other server for the clients.
  if (end === 'SIGINT') await running.drain(0);
  return end;
}

/**
 * Kills the process by the signal, as if it were not handled: Node.js would wait for the inference call that is still
 * running, and abort when it returns. Everything else is done by now.
 */
async function endBySignal(signal: NodeJS.Signals, log: Logger): Promise<never> {
  log.warn({ signal }, 'an inference call did not return in time; ending the process anyway');
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  return new Promise(() => {});
}

function announce({ address, family, port }: AddressInfo, log: Logger): void {
  const everywhere = address === '0.0.0.0' || address === '::';
  const numeric = family === 'IPv6' ? `[${address}]` : address;
  const url = `http://${everywhere ? 'localhost' : numeric}:${port}`;
  log.info({ url }, `ready: open ${url} in a browser`);
}

/** Waits for the first SIGTERM or SIGINT; the second kills the process, which could not exit during an inference call. */
async function untilSignal(log: Logger): Promise<NodeJS.Signals> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve);
  });
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(name);
  log.info({ signal }, 'shutting down');
  return signal;
}

/** Explains why the server could not start, and what to do about it. */
function explain(error: unknown, { host, port, agentPort }: Settings): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      if (port === agentPort)
        return `--port and --agent-port are both ${port}; choose another for one of them`;
      return `port ${port} is in use; stop the program that uses it, or choose another with --port`;
    case 'EACCES':
      return `port ${port} needs special rights; choose one above 1023 with --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine; choose another with --host`;
    default:
      return oneLine(error);
  }
}

function complain(line: string): void {
  process.stderr.write(`millrace: ${line}\n`);
}
