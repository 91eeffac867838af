/** One setting of the server. Its name is the key in the configuration file. */
export type Setting =
  | (SettingBase<number> & { readonly type: 'integer' | 'number'; readonly range: readonly [number, number] })
  | (SettingBase<string> & { readonly type: 'text' })
  | (SettingBase<boolean> & { readonly type: 'switch' })
  | (SettingBase<string> & { readonly type: 'choice'; readonly choices: readonly string[] })
  | (SettingBase<readonly string[]> & { readonly type: 'list' });

interface SettingBase<Value> {
  readonly default: Value;
  /** The default in words, if the value depends on the machine. */
  readonly defaultText?: string;
  /** One sentence for people. */
  readonly description: string;
}
