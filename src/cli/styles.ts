import type { Style, Styles } from '@millrace/protocol';
import { Command } from 'commander';
import { oneLine } from '../engine/as-error.js';
import { readModelFolder } from '../model/folder.js';
import { addEngineOptions, readEngineSettings, type EngineFlags } from './engine-options.js';
import { interruptible } from './interruptible.js';
import { findModel } from './model-source.js';

/** What `--json` prints. */
interface StyleList extends Styles {
  readonly model: string;
  readonly description: string;
  /** Whether prompts are free text; the styles are then suggestions. */
  readonly any_words: boolean;
}

/** `millrace styles`: lists what prompts of a model can name, from its files alone. */
export function createStylesCommand(): Command {
  const command = new Command('styles')
    .description('list the styles and moods that prompts of a model can name')
    .option('--json', 'print the list as JSON');
  addEngineOptions(command, ['model']);
  return command.action((options: EngineFlags & { readonly json?: true }) =>
    interruptible(
      async (signal) => {
        const list = await listStyles(readEngineSettings(options).model, signal);
        process.stdout.write(options.json ? `${JSON.stringify(list)}\n` : renderStyles(list));
      },
      { explain: oneLine },
    ),
  );
}

async function listStyles(model: string, signal: AbortSignal): Promise<StyleList> {
  const folder = await readModelFolder(await findModel(model, signal));
  const { name, description, styles, moods, promptGroups = [] } = folder;
  return { model: name, description, any_words: promptGroups.length === 0, styles, moods };
}

/** Returns the list for people: what to write, what it looks like, and what suits it. */
export function renderStyles({ model, description, any_words: anyWords, styles, moods }: StyleList): string {
  const heads = anyWords
    ? { styles: 'This model takes any words. Prompts that suit it:', moods: 'Words to add:' }
    : { styles: 'Styles:', moods: 'Moods, to add to a style:' };
  const parts = [
    description === '' ? model : `${model}: ${description}`,
    ...section(heads.styles, styles),
    ...section(heads.moods, moods),
  ];
  if (anyWords && styles.length === 0) parts.push('', 'This model takes any words.');
  return `${parts.join('\n')}\n`;
}

function section(head: string, styles: readonly Style[]): readonly string[] {
  if (styles.length === 0) return [];
  const widest = Math.max(...styles.map(({ prompt }) => prompt.length));
  const lines = styles.map(({ prompt, description = '', steps, strength }) => {
    const settings = [
      ...(steps === undefined ? [] : [`steps ${steps}`]),
      ...(strength === undefined ? [] : [`strength ${strength}`]),
    ];
    const suits = settings.length > 0 ? `(${settings.join(', ')})` : '';
    return `  ${prompt.padEnd(widest)}  ${[description, suits].filter(Boolean).join(' ')}`.trimEnd();
  });
  return ['', head, ...lines];
}
