/** Properties of every control. */
export interface ControlProps<Value> {
  readonly id: string;
  readonly value: Value;
  readonly disabled: boolean;
  readonly invalid: boolean;
  /** @param settled false while a slider moves or a text is typed. */
  readonly onChange: (value: unknown, settled: boolean) => void;
}
