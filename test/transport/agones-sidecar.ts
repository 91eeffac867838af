import { Server, ServerCredentials, status, type ServiceDefinition } from '@grpc/grpc-js';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

/** As much of the generated messages as the sidecar needs. */
interface Messages {
  readonly Empty: new () => object;
  readonly GameServer: (new () => { setSpec(spec: object): void }) & {
    readonly Spec: (new () => { setHealth(health: object): void }) & {
      readonly Health: new () => { setPeriodSeconds(seconds: number): void; setDisabled(off: boolean): void };
    };
  };
}
interface BetaMessages {
  readonly Counter: new () => object;
}
interface Wrapped {
  getValue(): number;
}
interface CounterRequest {
  getCounterupdaterequest(): { getName(): string; getCount(): Wrapped | null; getCapacity(): Wrapped | null };
}

const load = createRequire(import.meta.url);
const library = '@google-cloud/agones-sdk/lib';
const messages = load(`${library}/sdk_pb.js`) as Messages;
const betaMessages = load(`${library}/beta/beta_pb.js`) as BetaMessages;
const services = load(`${library}/sdk_grpc_pb.js`) as Readonly<Record<string, ServiceDefinition>>;
const betaServices = load(`${library}/beta/beta_grpc_pb.js`) as Readonly<Record<string, ServiceDefinition>>;

type Reply = (error: object | null, message?: object) => void;

/** The sidecar of a GameServer: a gRPC server of the SDK's own services, that remembers what it is told. */
export class AgonesSidecar implements AsyncDisposable {
  /** The states that were asked for, in order. */
  readonly states: string[] = [];
  count = 0;
  capacity = 1;
  pings = 0;
  /** Whether it leaves all further calls without an answer. */
  frozen = false;
  periodSeconds = 1;
  /** The counter in the Fleet. */
  counter = 'sessions';
  healthDisabled = false;
  #server = new Server();

  /** Starts, again after `stop`. */
  async start(port: number): Promise<void> {
    this.#server = new Server();
    const note =
      (name: string) =>
      (_call: object, reply: Reply): void => {
        if (this.frozen) return;
        this.states.push(name);
        reply(null, new messages.Empty());
      };
    this.#server.addService(services['agones.dev.sdk.SDK'], {
      ready: note('ready'),
      allocate: note('allocated'),
      shutdown: note('shutdown'),
      health: (call: NodeJS.ReadableStream, reply: Reply) => {
        call.on('data', () => (this.pings += 1));
        call.on('end', () => reply(null, new messages.Empty()));
      },
      getGameServer: (_call: object, reply: Reply) => {
        if (!this.frozen) reply(null, this.#gameServer());
      },
    });
    this.#server.addService(betaServices['agones.dev.sdk.beta.SDK'], {
      updateCounter: (call: { readonly request: CounterRequest }, reply: Reply) =>
        this.#update(call.request, reply),
    });
    await new Promise<void>((resolve, reject) =>
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  }

  /** Cuts all calls, as if it were killed. */
  stop(): void {
    this.#server.forceShutdown();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await pause(20);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    return Promise.resolve();
  }

  #gameServer(): object {
    const health = new messages.GameServer.Spec.Health();
    health.setPeriodSeconds(this.periodSeconds);
    health.setDisabled(this.healthDisabled);
    const spec = new messages.GameServer.Spec();
    spec.setHealth(health);
    const gameServer = new messages.GameServer();
    gameServer.setSpec(spec);
    return gameServer;
  }

  /** Refuses, like Agones, an unknown counter, and a count above the capacity. */
  #update(request: CounterRequest, reply: Reply): void {
    if (this.frozen) return;
    const update = request.getCounterupdaterequest();
    const count = update.getCount()?.getValue() ?? this.count;
    const capacity = update.getCapacity()?.getValue() ?? this.capacity;
    if (update.getName() !== this.counter) {
      reply({ code: status.NOT_FOUND, details: `counter not found: ${update.getName()}` });
    } else if (count > capacity) {
      reply({ code: status.OUT_OF_RANGE, details: `count ${count} is above ${capacity}` });
    } else {
      this.count = count;
      this.capacity = capacity;
      reply(null, new betaMessages.Counter());
    }
  }
}
