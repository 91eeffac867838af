import { accessSettingsTable } from './access-settings-table.js';
import { engineSettingsTable } from './engine-settings-table.js';
import type { Setting } from './setting.js';

const MiB = 1024 * 1024;

/** Every setting of `millrace serve`: the single source of flags, environment variables, file keys and documents. */
export const settingsTable = {
  port: {
    type: 'integer',
    range: [0, 65_535],
    default: 8420,
    description: 'TCP port to listen on; 0 picks a free one. The environment variable PORT is read too.',
  },
  host: { type: 'text', default: '127.0.0.1', description: 'Address to listen on.' },
  agentPort: {
    type: 'integer',
    range: [0, 65_535],
    default: 0,
    description: "TCP port that tells HAProxy's agent-check how many more sessions fit; 0 for none.",
  },
  agentHost: { type: 'text', default: '127.0.0.1', description: 'Address to listen on at agentPort.' },
  agones: {
    type: 'switch',
    default: false,
    description:
      'Tell the Agones sidecar of this GameServer when the server is ready, how many sessions it has, and when it stops.',
  },
  oscPort: {
    type: 'integer',
    range: [0, 65_535],
    default: 0,
    description:
      'UDP port for Open Sound Control: whoever reaches it can change the parameters of all sessions; 0 for none.',
  },
  oscHost: { type: 'text', default: '127.0.0.1', description: 'Address to listen on at oscPort.' },
  ...accessSettingsTable,
  dashboardThumbnails: {
    type: 'switch',
    default: false,
    description: 'Show admins the last picture of each session in /dashboard.',
  },
  compat: {
    type: 'list',
    choices: ['demo', 'fal', 'sglang'],
    default: [],
    description:
      "Protocols of other programs that the server speaks too: demo (the pages of StreamDiffusion and Real-Time LCM), fal (fal's realtime client), sglang (SGLang's realtime video and OpenAI's images).",
  },
  ...engineSettingsTable,
  maxSessions: {
    type: 'integer',
    range: [1, 100_000],
    default: 32,
    description: 'Sessions at the same time.',
  },
  sloFps: {
    type: 'number',
    range: [0, 240],
    default: 10,
    defaultText: '10; 1 for users of this machine only',
    description:
      'Frames per second that a session is promised: as many are admitted as the engine can serve at this rate, up to maxSessions; 0: only maxSessions counts.',
  },
  sloLatencySeconds: {
    type: 'number',
    range: [0, 60],
    default: 0.5,
    defaultText: '0.5; 2 for users of this machine only',
    description:
      'Seconds from the arrival of a frame to the sending of its result that a session is promised, even if all send at the same moment; 0 for no promise.',
  },
  queueLength: {
    type: 'integer',
    range: [0, 100_000],
    default: 16,
    description: 'Sessions that may wait for a slot; further ones are refused.',
  },
  queueSeconds: { type: 'number', range: [0.1, 3600], default: 60, description: 'Longest wait for a slot.' },
  maxConnections: {
    type: 'integer',
    range: [0, 1_000_000],
    default: 0,
    defaultText: '10000, or three quarters of the limit of open files if that is less',
    description:
      'TCP connections at the same time, including streams; never more than the limit of open files allows.',
  },
  maxConnectionsPerAddress: {
    type: 'integer',
    range: [1, 100_000],
    default: 16,
    description:
      'Streams at the same time from one IP address; all streams through a proxy share its address.',
  },
  maxConnectsPerMinute: {
    type: 'integer',
    range: [1, 1_000_000],
    default: 300,
    description: 'New streams per minute from one IP address.',
  },
  maxPlainConnectionsPerAddress: {
    type: 'integer',
    range: [1, 1_000_000],
    default: 64,
    description:
      'TCP connections at the same time from one IP address that are not streams: for the page and the API, and idle ones.',
  },
  maxRequestsPerSecond: {
    type: 'integer',
    range: [1, 1_000_000],
    default: 1000,
    description:
      'HTTP requests per second from one IP address, and new connections per second; further ones are refused.',
  },
  maxImagesPerMinute: {
    type: 'integer',
    range: [1, 1_000_000],
    default: 300,
    description:
      'Images per minute (POST /v1/generate) for one user, or for one IP address if no token is required.',
  },
  maxViewersPerSession: {
    type: 'integer',
    range: [0, 10_000],
    default: 32,
    description:
      'Viewers of one session at the same time, besides its owner, by links that the owner makes; 0: nobody.',
  },
  maxViewers: {
    type: 'integer',
    range: [0, 100_000],
    default: 256,
    description: 'Viewers of all sessions at the same time.',
  },
  credits: {
    type: 'integer',
    range: [1, 64],
    default: 2,
    description: 'Frames that a client may have waiting at the server.',
  },
  unacknowledgedResults: {
    type: 'integer',
    range: [1, 64],
    default: 2,
    description:
      'Results that may be on the way to a client; more suit long round trips, fewer keep slow clients up to date.',
  },
  maxMessageBytes: {
    type: 'integer',
    range: [64 * 1024, 256 * MiB],
    default: 8 * MiB,
    description: 'Largest message from a client, in bytes.',
  },
  maxFramePixels: {
    type: 'integer',
    range: [64 * 64, 16_384 * 16_384],
    default: 2048 * 2048,
    description:
      'Most pixels of an input image, and of all images of a frame; one side is at most 64 times the other.',
  },
  maxCallSeconds: {
    type: 'number',
    range: [0, 3600],
    default: 0.5,
    description:
      "Longest time for which a frame may occupy the device without a break, by calibration: picture sizes that would take longer are refused, the model's default size never; 0: no limit.",
  },
  maxMessagesPerSecond: {
    type: 'integer',
    range: [10, 100_000],
    default: 1000,
    description:
      'Messages per second from one client. A client that sends more is read more slowly; three seconds behind, it is disconnected.',
  },
  maxUpdatesPerSecond: {
    type: 'integer',
    range: [1, 1000],
    default: 60,
    description: 'Parameter updates per second from one client; further ones are refused.',
  },
  helloTimeoutSeconds: {
    type: 'number',
    range: [0.1, 600],
    default: 10,
    description: 'Time that a new connection has to open its stream.',
  },
  pingSeconds: {
    type: 'number',
    range: [0.1, 600],
    default: 15,
    description: 'Time between pings; a client that is silent from one to the next is disconnected.',
  },
  idleSeconds: {
    type: 'number',
    range: [0, 86_400],
    default: 600,
    description: 'A session without a frame, a result or an update for this long is closed; 0 closes none.',
  },
  resumeKey: {
    type: 'text',
    default: '',
    defaultText: 'a random one',
    description:
      "Secret that resume tokens are sealed with; servers with the same secret resume each other's sessions.",
  },
  sessionStore: {
    type: 'text',
    default: '',
    defaultText: 'none',
    description:
      'URL of a Redis (redis://, rediss://) that servers with the same resumeKey share: limits of users and resume tokens then hold for all of them.',
  },
  resumeSeconds: {
    type: 'number',
    range: [1, 3600],
    default: 60,
    description: 'How long a resume token is valid.',
  },
  graceSeconds: {
    type: 'number',
    range: [0, 600],
    default: 10,
    description: 'How long a session whose connection was lost waits for its client to come back.',
  },
  checkpointSeconds: {
    type: 'number',
    range: [0.05, 600],
    default: 2,
    description: 'Time between the resume tokens that a client gets while frames flow.',
  },
  viewLinkSeconds: {
    type: 'number',
    range: [1, 604_800],
    default: 3600,
    description: 'How long a link for viewers can be opened at most; viewers already there stay.',
  },
  drainSeconds: {
    type: 'number',
    range: [0, 3600],
    default: 20,
    description: 'Time that clients have to go elsewhere before the server stops.',
  },
  logLevel: {
    type: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    description: 'Lowest level of log lines that are written.',
  },
  logFormat: {
    type: 'choice',
    choices: ['auto', 'json', 'pretty'],
    default: 'auto',
    description: 'json: one JSON object a line; pretty: for people; auto: pretty on a terminal, else json.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settingsTable;
