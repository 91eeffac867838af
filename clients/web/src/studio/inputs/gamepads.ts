const periodMs = 40;
/** Smaller changes are noise. */
const leastChange = 0.01;

/** Reports the axes and buttons of all gamepads whenever they change. */
export function listenToGamepads(receive: (input: string, value: number) => void): void {
  const last = new Map<string, number>();
  const report = (input: string, value: number): void => {
    if (Math.abs(value - (last.get(input) ?? Infinity)) < leastChange) return;
    last.set(input, value);
    receive(input, value);
  };
  // Pages that are not secure have no gamepads.
  if (!('getGamepads' in navigator)) return;
  setInterval(() => {
    for (const pad of navigator.getGamepads()) {
      if (pad === null) continue;
      pad.axes.forEach((value, i) => report(`gamepad ${pad.index + 1} axis ${i + 1}`, (value + 1) / 2));
      pad.buttons.forEach(({ value }, i) => report(`gamepad ${pad.index + 1} key ${i + 1}`, value));
    }
  }, periodMs);
}
