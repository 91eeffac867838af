type Receive = (input: string, value: number) => void;

const noteOff = 0x80;
const noteOn = 0x90;
const controlChange = 0xb0;

/**
 * Listens to all MIDI devices, also those that are connected later.
 * @throws {Error} (as rejection) for the user, if the browser has no MIDI or does not allow it.
 */
export async function listenToMidi(receive: Receive): Promise<void> {
  if (!('requestMIDIAccess' in navigator)) {
    throw new Error('This browser has no MIDI. Chrome, Edge and Firefox have it, on secure pages.');
  }
  const access = await navigator.requestMIDIAccess().catch((cause: unknown) => {
    throw new Error('MIDI is blocked. Allow it beside the address, and try again.', { cause });
  });
  const onMessage = ({ data }: MIDIMessageEvent): void => readMessage(data, receive);
  const listen = (): void => {
    for (const input of access.inputs.values()) {
      // A device that is known keeps its one listener.
      input.addEventListener('midimessage', onMessage);
      void input.open();
    }
  };
  access.addEventListener('statechange', listen);
  listen();
}

/** Reads a message (MIDI 1.0): control changes, and notes with their velocity. */
function readMessage(data: Uint8Array | null, receive: Receive): void {
  const [status = 0, number = 0, value = 0] = data ?? [];
  const channel = (status & 0x0f) + 1;
  const kind = status & 0xf0;
  if (kind === controlChange) receive(`midi ${channel}:${number}`, value / 127);
  if (kind === noteOn) receive(`midi key ${channel}:${number}`, value / 127);
  if (kind === noteOff) receive(`midi key ${channel}:${number}`, 0);
}
