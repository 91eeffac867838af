/** One setting of the server. Its name is the key in the configuration file. */
export type Setting =
  | (SettingBase<number> & { readonly type: 'integer' | 'number'; readonly range: readonly [number, number] })
  | (SettingBase<string> & { readonly type: 'text' })
  | (SettingBase<boolean> & { readonly type: 'switch' })
  | (SettingBase<string> & { readonly type: 'choice'; readonly choices: readonly string[] })
  | (SettingBase<readonly string[]> & {
      readonly type: 'list';
      /** The texts that it may have; absent: any. */
      readonly choices?: readonly string[];
    });

interface SettingBase<Value> {
  readonly default: Value;
  /** The default in words, if the value depends on the machine. */
  readonly defaultText?: string;
  /** One sentence for people. */
  readonly description: string;
}

/** Returns the flag of a setting: its name in kebab case. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Returns the environment variable of a setting: its name in upper snake case, with the prefix MILLRACE_. */
export function variableOf(name: string): string {
  return `MILLRACE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
