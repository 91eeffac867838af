import type { Logger } from 'pino';
import { AgentServer, type AgentReport } from './agent-server.js';
import { AgonesReporter } from './agones.js';

/** Where a balancer asks the agent, there are other servers. */
const noSharedKey =
  'the server has an agent for a balancer, but no resumeKey: streams that move between servers start over; ' +
  'give all servers of the fleet the same (--resume-key)';

/** Of the settings, by their names. */
interface FleetSettings {
  readonly agentHost: string;
  readonly agentPort: number;
  readonly agones: boolean;
  readonly resumeKey: string;
}

/** What tells the balancer and the orchestrator of a fleet how many more streams this server can take. */
export class FleetAgents implements AsyncDisposable {
  readonly #settings: FleetSettings;
  readonly #log: Logger;
  readonly #agent: AgentServer;
  readonly #agones: AgonesReporter | null;

  constructor(settings: FleetSettings, report: () => AgentReport, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.#agent = new AgentServer(report);
    this.#agones = settings.agones ? new AgonesReporter(report, log) : null;
  }

  /** Answers balancers, if they have a port. @throws {Error} (as rejection) that names the setting to change. */
  async listen(): Promise<void> {
    const { agentHost, agentPort, resumeKey } = this.#settings;
    if (agentPort === 0) return;
    await this.#agent.listen(agentHost, agentPort);
    if (resumeKey === '') this.#log.warn(noSharedKey);
  }

  /** Starts to report to the orchestrator, if there is one. */
  start(): void {
    this.#agones?.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agones?.[Symbol.asyncDispose]();
    await this.#agent[Symbol.asyncDispose]();
  }
}
