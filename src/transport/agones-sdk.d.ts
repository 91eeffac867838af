/** The part of the library that is used: its own declarations lack counters, and name an export that is not there. */
declare module '@google-cloud/agones-sdk' {
  /** Talks to the sidecar at localhost, port AGONES_SDK_GRPC_PORT or 9357. */
  class AgonesSdk {
    readonly port: string;
    readonly beta: {
      setCounterCount(name: string, count: number): Promise<void>;
      setCounterCapacity(name: string, capacity: number): Promise<void>;
      readonly client: { close(): void };
    };
    readonly alpha: { readonly client: { close(): void } };
    /** The call that carries pings, from the first one on. */
    readonly healthStream?: { once(event: 'status', listener: () => void): void; cancel(): void };
    getGameServer(): Promise<{
      readonly spec?: { readonly health?: { readonly disabled: boolean; readonly periodSeconds: number } };
    }>;
    ready(): Promise<unknown>;
    allocate(): Promise<unknown>;
    shutdown(): Promise<unknown>;
    /** Sends a ping. Without `onError`, a failure would be thrown later, where nothing can catch it. */
    health(onError: () => void): void;
    close(): void;
  }
  export = AgonesSdk;
}
