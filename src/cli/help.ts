import { Help, type Command, type HelpConfiguration } from 'commander';

/** Terms wider than this leave too little room for the texts beside them. */
const widestTerm = 28;
const indent = 6;

/**
 * Help for a terminal of 80 columns: if terms are wide, such as names of settings, each stands above its text.
 * Sentences from documents and schemas begin in lower case and end without a full stop.
 */
const readable: HelpConfiguration = {
  formatItem(term, termWidth, description, helper) {
    const text = inline(description);
    const plain = new Help();
    plain.prepareContext({ helpWidth: helper.helpWidth ?? 80 });
    if (termWidth <= widestTerm) return plain.formatItem(term, termWidth, text, helper);
    const lines = plain.boxWrap(text, (plain.helpWidth ?? 80) - indent).split('\n');
    return [`  ${term}`, ...lines.map((line) => ' '.repeat(indent) + line)].join('\n');
  },
};

/** Applies the readable help to a command and its subcommands. */
export function withReadableHelp(command: Command): Command {
  command.configureHelp(readable).showHelpAfterError(`(see ${fullName(command)} --help)`);
  for (const child of command.commands) withReadableHelp(child);
  return command;
}

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

function inline(sentence: string): string {
  return sentence
    .replace(/^[A-Z](?=[a-z]+\b|\b)/, (letter) => letter.toLowerCase())
    .replace(/\.(?=$| \([^()]*\)$)/, '');
}
