import { PROGRAM } from '../about.js';
import type { Command } from '../command.js';
import { flag } from '../flags.js';

const NEW_SHELL = 'You will need to start a new shell for this setup to take effect.';
const THIS_SESSION = 'To load completions in your current shell session:';
const EVERY_SESSION = 'To load completions for every new session, execute once:';

function shell(name: string, title: string, lines: readonly string[], bareUse = false): Command {
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
        SCRIPTS[name]!(PROGRAM, context.flags.bool('no-descriptions') ? '__completeNoDesc' : '__complete'),
      );
    },
  };
}

export const COMPLETION: Command = {
  name: 'completion',
  use: 'completion',
  short: 'Generate the autocompletion script for the specified shell',
  long: `Generate the autocompletion script for ${PROGRAM} for the specified shell.
See each sub-command's help for details on how to use the generated script.`,
  commands: [
    shell(
      'bash',
      'the bash shell',
      [
        "This script depends on the 'bash-completion' package.",
        "If it is not installed already, you can install it via your OS's package manager.",
        '',
        THIS_SESSION,
        '',
        `\tsource <(${PROGRAM} completion bash)`,
        '',
        EVERY_SESSION,
        '',
        '#### Linux:',
        '',
        `\t${PROGRAM} completion bash > /etc/bash_completion.d/${PROGRAM}`,
        '',
        '#### macOS:',
        '',
        `\t${PROGRAM} completion bash > $(brew --prefix)/etc/bash_completion.d/${PROGRAM}`,
        '',
        NEW_SHELL,
      ],
      true,
    ),
    shell('fish', 'the fish shell', [
      THIS_SESSION,
      '',
      `\t${PROGRAM} completion fish | source`,
      '',
      EVERY_SESSION,
      '',
      `\t${PROGRAM} completion fish > ~/.config/fish/completions/${PROGRAM}.fish`,
      '',
      NEW_SHELL,
    ]),
    shell('powershell', 'powershell', [
      THIS_SESSION,
      '',
      `\t${PROGRAM} completion powershell | Out-String | Invoke-Expression`,
      '',
      'To load completions for every new session, add the output of the above command',
      'to your powershell profile.',
    ]),
    shell('zsh', 'the zsh shell', [
      'If shell completion is not already enabled in your environment you will need',
      'to enable it.  You can execute the following once:',
      '',
      '\techo "autoload -U compinit; compinit" >> ~/.zshrc',
      '',
      THIS_SESSION,
      '',
      `\tsource <(${PROGRAM} completion zsh)`,
      '',
      EVERY_SESSION,
      '',
      '#### Linux:',
      '',
      `\t${PROGRAM} completion zsh > "\${fpath[1]}/_${PROGRAM}"`,
      '',
      '#### macOS:',
      '',
      `\t${PROGRAM} completion zsh > $(brew --prefix)/share/zsh/site-functions/_${PROGRAM}`,
      '',
      NEW_SHELL,
    ]),
  ],
};
