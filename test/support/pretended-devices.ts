// Scripts for pages, which run there before their own.

/** Gives the page a MIDI device, whose messages `globalThis.turn` sends. */
export function pretendMidi(): void {
  let listener: (event: { readonly data: Uint8Array }) => void = () => {};
  const addEventListener = (_: string, added: typeof listener): void => void (listener = added);
  const input = { addEventListener, open: () => Promise.resolve() };
  const access = { inputs: new Map([['a', input]]), addEventListener: () => {} };
  Object.assign(navigator, { requestMIDIAccess: () => Promise.resolve(access) });
  Object.assign(globalThis, { turn: (...data: number[]) => listener({ data: Uint8Array.from(data) }) });
}

/** Gives the page a gamepad; `globalThis.move` moves its stick and button, and waits until the page has looked. */
export function pretendGamepad(): void {
  const pad = { index: 0, axes: [0, 0], buttons: [{ value: 0 }] };
  let looked = (): void => {};
  const getGamepads = (): unknown => {
    looked();
    return [null, pad];
  };
  Object.assign(navigator, { getGamepads });
  const move = async (stick: number, button: number): Promise<void> => {
    pad.axes = [0, stick];
    pad.buttons = [{ value: button }];
    await new Promise<void>((resolve) => (looked = resolve));
  };
  Object.assign(globalThis, { move });
}

/** Gives the page a microphone that hears a bass drum twice a second. */
export function pretendDrum(): void {
  const getUserMedia = (): Promise<MediaStream> => {
    const context = new AudioContext();
    const gain = new GainNode(context, { gain: 0 });
    const drum = new OscillatorNode(context, { frequency: 80 });
    const out = context.createMediaStreamDestination();
    drum.connect(gain).connect(out);
    drum.start();
    for (let beat = 0; beat < 200; beat += 1) {
      gain.gain.setValueAtTime(0.8, beat / 2 + 0.3);
      gain.gain.setValueAtTime(0, beat / 2 + 0.4);
    }
    return Promise.resolve(out.stream);
  };
  Object.assign(navigator.mediaDevices, { getUserMedia });
}
