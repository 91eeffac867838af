import { Command } from 'commander';
import { oneLine } from '../engine/as-error.js';
import { interruptible } from './interruptible.js';
import { pull } from './model-source.js';

const epilogue = `
Prints the folder of the model, for --model, which takes organisation/name too.
Files go into the cache that Python's tools use too.

Environment variables, as in those tools:
  HF_TOKEN           for private and gated models
  HF_HOME            another place; HF_HUB_CACHE for the cache only
  HF_HUB_OFFLINE=1   use only the cache
  HF_ENDPOINT        another hub

Exit codes: 0 done, 1 failed, 130 interrupted.`;

/** `millrace pull`: downloads a model from the hub into the cache. */
export function createPullCommand(): Command {
  return new Command('pull')
    .description('download a model from the hub')
    .argument('<model>', 'organisation/name or organisation/name@revision')
    .option('--revision <name>', 'branch, tag or commit (default: main)')
    .addHelpText('after', epilogue)
    .action((model: string, { revision }: { readonly revision?: string }) =>
      interruptible(
        async (signal) => {
          process.stdout.write(`${await pull(model, { revision, signal })}\n`);
        },
        { explain: oneLine, interrupted: 'interrupted; run the same command again to resume' },
      ),
    );
}
