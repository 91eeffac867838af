/** What every control gets. */
export interface ControlProps<Value> {
  readonly id: string;
  readonly value: Value;
  readonly disabled: boolean;
  readonly invalid: boolean;
  /** `settled`: a choice was made rather than a slider moved. */
  readonly onChange: (value: unknown, settled: boolean) => void;
}
