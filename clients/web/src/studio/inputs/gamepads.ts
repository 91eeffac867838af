const periodMs = 40;
/** Smaller changes are noise. */
const leastChange = 0.01;

/** Reports the axes and buttons of all gamepads whenever they change. @returns a function that ends it. */
export function listenToGamepads(receive: (input: string, value: number) => void): () => void {
  const last = new Map<string, number>();
  const report = (input: string, value: number): void => {
    if (Math.abs(value - (last.get(input) ?? Infinity)) < leastChange) return;
    last.set(input, value);
    receive(input, value);
  };
  const timer = setInterval(() => {
    for (const pad of navigator.getGamepads()) {
      if (pad === null) continue;
      pad.axes.forEach((value, i) => report(`gamepad ${pad.index + 1} axis ${i + 1}`, (value + 1) / 2));
      pad.buttons.forEach(({ value }, i) => report(`gamepad ${pad.index + 1} key ${i + 1}`, value));
    }
  }, periodMs);
  return () => clearInterval(timer);
}
