import { PROGRAM as KEELCTL } from '../about.js';
import type { Command } from '../command.js';
import { flag } from '../flags.js';

const NEW_SHELL = 'You will need to start a new shell for this setup to take effect.';
const THIS_SESSION = 'To load completions in your current shell session:';
const EVERY_SESSION = 'To load completions for every new session, execute once:';

function shell(program: string, name: string, title: string, lines: readonly string[], bareUse = false): Command {
  return {
    name,
    use: name,
    bareUse,
    short: `Generate the autocompletion script for ${name}`,
    long: [`Generate the autocompletion script for ${title}.`, '', ...lines].join('\n'),
    flags: [flag('no-descriptions', 'bool', 'false', 'disable completion descriptions')],
    completesNothing: true,
    run: async (context) => {
      const { SCRIPTS } = await import('./run/completion-scripts.js');
      context.io.out(
        SCRIPTS[name]!(program, context.flags.bool('no-descriptions') ? '__completeNoDesc' : '__complete'),
      );
    },
  };
}

/** The command `completion` of a program. */
export function completionOf(program: string): Command {
  return {
    name: 'completion',
    use: 'completion',
    short: 'Generate the autocompletion script for the specified shell',
    long: `Generate the autocompletion script for ${program} for the specified shell.
See each sub-command's help for details on how to use the generated script.`,
    commands: [
      shell(
        program,
        'bash',
        'the bash shell',
        [
          "This script depends on the 'bash-completion' package.",
          "If it is not installed already, you can install it via your OS's package manager.",
          '',
          THIS_SESSION,
          '',
          `\tsource <(${program} completion bash)`,
          '',
          EVERY_SESSION,
          '',
          '#### Linux:',
          '',
          `\t${program} completion bash > /etc/bash_completion.d/${program}`,
          '',
          '#### macOS:',
          '',
          `\t${program} completion bash > $(brew --prefix)/etc/bash_completion.d/${program}`,
          '',
          NEW_SHELL,
        ],
        true,
      ),
      shell(program, 'fish', 'the fish shell', [
        THIS_SESSION,
        '',
        `\t${program} completion fish | source`,
        '',
        EVERY_SESSION,
        '',
        `\t${program} completion fish > ~/.config/fish/completions/${program}.fish`,
        '',
        NEW_SHELL,
      ]),
      shell(program, 'powershell', 'powershell', [
        THIS_SESSION,
        '',
        `\t${program} completion powershell | Out-String | Invoke-Expression`,
        '',
        'To load completions for every new session, add the output of the above command',
        'to your powershell profile.',
      ]),
      shell(program, 'zsh', 'the zsh shell', [
        'If shell completion is not already enabled in your environment you will need',
        'to enable it.  You can execute the following once:',
        '',
        '\techo "autoload -U compinit; compinit" >> ~/.zshrc',
        '',
        THIS_SESSION,
        '',
        `\tsource <(${program} completion zsh)`,
        '',
        EVERY_SESSION,
        '',
        '#### Linux:',
        '',
        `\t${program} completion zsh > "\${fpath[1]}/_${program}"`,
        '',
        '#### macOS:',
        '',
        `\t${program} completion zsh > $(brew --prefix)/share/zsh/site-functions/_${program}`,
        '',
        NEW_SHELL,
      ]),
    ],
  };
}

export const COMPLETION = completionOf(KEELCTL);
