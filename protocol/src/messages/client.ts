import type { MessageDefinition, MessageOf } from './fields.js';

/** Longest texts, in UTF-16 code units. */
export const textLimits = { client: 200, token: 8192, resume: 1_500_000 } as const;

/**
 * Every message of a client: the single source of the types below, of the server's checks and of the tables in
 * PROTOCOL.md.
 */
export const clientMessages = {
  hello: {
    meaning: 'First message of a connection.',
    fields: {
      client: {
        kind: 'text',
        most: textLimits.client,
        optional: true,
        meaning: 'Name and version of the client software, for logs',
      },
      parameters: {
        kind: 'changes',
        optional: true,
        meaning: "Initial parameters (section 11); others have the model's defaults",
      },
      token: {
        kind: 'text',
        most: textLimits.token,
        optional: true,
        meaning: 'Access token (section 7)',
      },
      resume: {
        kind: 'text',
        most: textLimits.resume,
        optional: true,
        meaning: 'Resume token (section 9), with which `parameters` is ignored',
      },
      sent: {
        kind: 'number',
        optional: true,
        meaning: "Time of sending, in milliseconds of the client's clock (section 6)",
      },
    },
  },
  frame: {
    meaning: 'One input image. Costs one credit.',
    fields: {
      id: {
        kind: 'count',
        meaning:
          'Chosen by the client; MUST be higher than all earlier ids of this session, across its connections',
      },
      captured: {
        kind: 'number',
        meaning: "Time of capture, in milliseconds of the client's clock; the result repeats it",
      },
      data: {
        kind: 'binary',
        meaning: 'A JPEG, PNG or WebP file, with at most `limits.frame_pixels` pixels',
      },
      mask: {
        kind: 'binary',
        optional: true,
        meaning: 'An image file too: where it is black the input stays, where it is white it changes',
      },
      controls: {
        kind: 'map of binary',
        optional: true,
        meaning: 'Pictures for controls of the model, such as a depth map, by the names of the controls',
      },
    },
  },
  update: {
    meaning: 'Changes parameters of the running stream, all at one frame boundary or not at all.',
    fields: {
      request: { kind: 'count', meaning: 'Chosen by the client; the answer repeats it' },
      parameters: { kind: 'changes', meaning: 'The parameters to change (section 11), and no others' },
    },
  },
  ack: {
    meaning: 'Reports that results were displayed or discarded, which allows the server to send more.',
    fields: {
      sequence: {
        kind: 'count',
        meaning:
          'The client has displayed or discarded all results up to this one; a number that was not sent is `invalid_message`',
      },
    },
  },
  ping: {
    meaning: "Asks for the time of the server's clock; allowed at any time after `ready`.",
    fields: {
      sent: { kind: 'number', meaning: "The client's clock in milliseconds" },
      offset: {
        kind: 'number',
        optional: true,
        meaning: "The client's clock minus the server's, as the client estimates it (section 6)",
      },
    },
  },
  authenticate: {
    meaning: "Replaces the session's access token before it expires.",
    fields: {
      token: {
        kind: 'text',
        most: textLimits.token,
        meaning: 'Replaces the token of the session (section 7)',
      },
    },
  },
} as const satisfies Readonly<Record<string, MessageDefinition>>;

type Table = typeof clientMessages;
export type ClientMessage = { [Type in keyof Table]: MessageOf<Table, Type> }[keyof Table];
export type HelloMessage = MessageOf<Table, 'hello'>;
export type FrameMessage = MessageOf<Table, 'frame'>;
export type UpdateMessage = MessageOf<Table, 'update'>;
export type AckMessage = MessageOf<Table, 'ack'>;
export type PingMessage = MessageOf<Table, 'ping'>;
export type AuthenticateMessage = MessageOf<Table, 'authenticate'>;
