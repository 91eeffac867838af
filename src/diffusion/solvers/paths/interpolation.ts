/** Returns the value at a fractional index, linear in between. As numpy does, it returns an end beyond that end. */
export function valueAt(values: Float32Array | readonly number[], index: number): number {
  const at = Math.min(Math.max(index, 0), values.length - 1);
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return values[low] + (values[high] - values[low]) * (at - low);
}

/** Returns the fractional index at which rising values, linear in between, reach this one; an end beyond that end. */
export function indexOfValue(rising: Float32Array | readonly number[], wanted: number): number {
  const above = rising.findIndex((value) => value > wanted);
  const low = Math.min(Math.max((above < 0 ? rising.length : above) - 1, 0), rising.length - 2);
  const part = (wanted - rising[low]) / (rising[low + 1] - rising[low]);
  return low + Math.min(Math.max(part, 0), 1);
}
