import { textLimits } from './client.js';
import type { Field, Fields, FieldsOf, MessageDefinition, MessageOf } from './fields.js';
import { timeFields, timingFields } from './frames.js';

/** The fields of `ready.limits`. */
export const limitFields = {
  message_bytes: { kind: 'count', meaning: 'Largest message of the client in bytes' },
  frame_pixels: {
    kind: 'count',
    meaning: 'Largest input image in pixels (width times height); all images of a frame together',
  },
  unacknowledged_results: {
    kind: 'count',
    meaning: 'Maximum number of results sent but not yet acknowledged (section 5)',
  },
  updates_per_second: { kind: 'count', meaning: 'Maximum number of updates per second (section 11)' },
  fps: {
    kind: 'number',
    optional: true,
    meaning: 'Maximum number of frames processed per second, if the access token sets it',
  },
  size: {
    kind: 'count',
    optional: true,
    meaning: 'Largest `width` and `height`, if the access token sets it',
  },
  steps: {
    kind: 'count',
    optional: true,
    meaning: 'Maximum number of denoising steps, if the access token sets it',
  },
} as const satisfies Fields;

/** Limits of a session. */
export type Limits = FieldsOf<typeof limitFields>;

/** The fields of each entry of `understood`. */
export const understoodFields = {
  text: { kind: 'text', meaning: 'The prompt' },
  tokens: { kind: 'count', meaning: 'Tokens of the prompt that the model reads, without start and end' },
  truncated: {
    kind: 'count',
    optional: true,
    meaning: 'Tokens at its end that the model does not read; absent if it reads all',
  },
  weights: {
    kind: 'map of numbers',
    optional: true,
    meaning: 'The first 16 parts with another weight than 1, by their texts; absent if there are none',
  },
  styles: {
    kind: 'map of numbers',
    optional: true,
    meaning:
      'How surely it names these styles, from 0.1 to 1 (less only with `nearest`), the surest first; absent if the model cannot tell',
  },
  moods: { kind: 'map of numbers', optional: true, meaning: 'The same for moods' },
  nearest: {
    kind: 'boolean',
    optional: true,
    meaning:
      'Whether it names none in words that the model knows, so that these are the nearest in meaning; absent if not',
  },
  ignored: {
    kind: 'text',
    optional: true,
    meaning: 'Those of its first 16 words that change nothing, separated by spaces; absent if there are none',
  },
} as const satisfies Fields;

/** What the model made of one prompt. */
export type UnderstoodPrompt = FieldsOf<typeof understoodFields>;

const understood = {
  kind: 'list',
  fields: understoodFields,
  optional: true,
  meaning: 'What the model made of each text of `prompt`, in their order (section 11)',
} as const satisfies Field;

/**
 * Every message of a server: the single source of the types below, of the checks of clients and of the tables in
 * PROTOCOL.md.
 */
export const serverMessages = {
  queued: {
    meaning:
      'The session waits for a slot; `ready` or `error` follows. Sent again when the position changes.',
    fields: {
      position: { kind: 'count', meaning: 'Position in the queue (section 8), 1 is next' },
      wait_seconds: { kind: 'number', meaning: 'Estimated wait in seconds' },
    },
  },
  ready: {
    meaning: 'The stream is open; frames may be sent.',
    fields: {
      protocol: { kind: 'text', meaning: 'Version of this protocol, `1.0`' },
      session: {
        kind: 'text',
        meaning: 'Opaque name of this session, for logs; a resumed session keeps it',
      },
      resumed: { kind: 'boolean', meaning: 'Whether the stream of `hello.resume` continues' },
      server: { kind: 'text', meaning: 'Name and version of the server software' },
      model: { kind: 'text', meaning: 'Name of the model' },
      parameters: { kind: 'parameters', meaning: 'All parameters in force' },
      credits: { kind: 'count', meaning: 'Frames that may be sent before the first `credit`' },
      limits: { kind: 'map', fields: limitFields, meaning: 'Limits of the session' },
      token_expires: {
        kind: 'number',
        optional: true,
        meaning: 'Seconds until the access token expires; absent if it does not',
      },
      understood,
      key: {
        kind: 'text',
        optional: true,
        meaning: 'Secret with which the owner of the session lets others watch (section 16)',
      },
    },
  },
  credit: {
    meaning: 'Grants credits for more frames.',
    fields: {
      total: {
        kind: 'count',
        meaning: 'Total number of frames that the client may send, counted from `ready`; never decreases',
      },
    },
  },
  result: {
    meaning: 'One generated image.',
    fields: {
      id: {
        kind: 'count',
        meaning:
          'The frame that it was generated from; with `mode: txt2img` a number that the server counts up',
      },
      sequence: { kind: 'count', meaning: '1, 2, 3, ... for the results of this connection' },
      captured: {
        kind: 'number',
        meaning: '`captured` of that frame, its time of capture in milliseconds; with `mode: txt2img` 0',
      },
      width: { kind: 'count', meaning: 'Width of the image in pixels' },
      height: { kind: 'count', meaning: 'Height of the image in pixels' },
      timings: {
        kind: 'map',
        fields: timingFields,
        meaning: 'How long each stage took, in milliseconds',
      },
      times: {
        kind: 'map',
        fields: timeFields,
        meaning: "When each stage was passed, in milliseconds of the client's clock",
      },
      flagged: {
        kind: 'boolean',
        optional: true,
        meaning:
          'Whether the image is blurred: the safety checker flagged it or the one before; absent if not',
      },
      data: { kind: 'binary', meaning: 'A JPEG file' },
      controls: {
        kind: 'map of binary',
        optional: true,
        meaning:
          'Small JPEG files of the pictures by which controls have steered it, by the names of the controls; with `control_previews`, in some results',
      },
    },
  },
  dropped: {
    meaning: 'An input frame that gets no result.',
    fields: {
      id: { kind: 'count', meaning: 'The frame that gets no result' },
      reason: { kind: 'reason', meaning: 'One of the reasons in section 5' },
    },
  },
  updated: {
    meaning: 'The answer to `update`: the new parameters are in force.',
    fields: {
      request: {
        kind: 'count',
        meaning:
          '`request` of the `update`, which is now in force; 2^53-1 if another program made the change (OSC)',
      },
      from: {
        kind: 'count',
        meaning: 'The update affects the results of frames with this `id` or a higher one',
      },
      parameters: { kind: 'parameters', meaning: 'All parameters in force' },
      understood,
    },
  },
  quality: {
    meaning: 'The server is overloaded, or has recovered, and changes the frame rate of this session.',
    fields: {
      fps: {
        kind: 'number or nil',
        meaning:
          'Maximum number of frames processed per second, because the server is overloaded; nil lifts the limit',
      },
    },
  },
  pong: {
    meaning: 'The answer to `ping`.',
    fields: {
      sent: { kind: 'number', meaning: '`sent` of the `ping`' },
      received: {
        kind: 'number',
        meaning:
          "The server's clock in milliseconds when the `ping` arrived; its zero point is arbitrary, and it never goes back",
      },
    },
  },
  authenticated: {
    meaning: 'The answer to `authenticate`: the new token is in force.',
    fields: {
      expires_seconds: {
        kind: 'number',
        optional: true,
        meaning: 'Seconds until the new token expires; absent if it does not',
      },
      limits: {
        kind: 'map',
        fields: limitFields,
        optional: true,
        meaning: 'As in `ready`: the limits of the session from now on',
      },
    },
  },
  checkpoint: {
    meaning: 'A new resume token.',
    fields: {
      token: {
        kind: 'text',
        most: textLimits.resume,
        meaning: 'For `hello.resume`; opaque, replaces all earlier ones',
      },
    },
  },
  drain: {
    meaning: 'The server is going to stop: the client should connect again, to another server if possible.',
    fields: {
      deadline_seconds: { kind: 'number', meaning: 'Seconds until the server closes the connection' },
      token: {
        kind: 'text',
        most: textLimits.resume,
        optional: true,
        meaning: 'As in `checkpoint`; absent if the server does not allow sessions to resume',
      },
    },
  },
  error: {
    meaning: 'Something went wrong; if the catalogue lists a close code for it, the connection closes.',
    fields: {
      code: { kind: 'code', meaning: 'One of the codes in section 13' },
      message: { kind: 'text', meaning: 'For people' },
      request: { kind: 'count', optional: true, meaning: '`request` of the refused `update`' },
      id: { kind: 'count', optional: true, meaning: 'The frame concerned' },
      field: { kind: 'text', optional: true, meaning: 'The parameter or message field at fault' },
    },
  },
} as const satisfies Readonly<Record<string, MessageDefinition>>;

type Table = typeof serverMessages;
export type ServerMessage = { [Type in keyof Table]: MessageOf<Table, Type> }[keyof Table];
export type QueuedMessage = MessageOf<Table, 'queued'>;
export type ReadyMessage = MessageOf<Table, 'ready'>;
export type CreditMessage = MessageOf<Table, 'credit'>;
export type ResultMessage = MessageOf<Table, 'result'>;
export type DroppedMessage = MessageOf<Table, 'dropped'>;
export type UpdatedMessage = MessageOf<Table, 'updated'>;
export type QualityMessage = MessageOf<Table, 'quality'>;
export type PongMessage = MessageOf<Table, 'pong'>;
export type AuthenticatedMessage = MessageOf<Table, 'authenticated'>;
export type CheckpointMessage = MessageOf<Table, 'checkpoint'>;
export type DrainMessage = MessageOf<Table, 'drain'>;
export type ErrorMessage = MessageOf<Table, 'error'>;
