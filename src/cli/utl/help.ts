import type { Command, Path } from '../ctl/command.js';
import { inheritedFlags, leafOf, localFlags, pathName } from '../ctl/command.js';
import type { FlagSpec } from '../ctl/flags.js';

const NAME_WIDTH_MIN = 11;

/** A command's usage in the layout that etcdutl has (cobra's own). */
export function usageText(path: Path): string {
  const leaf = leafOf(path);
  const above = path.slice(0, -1).map((c) => c.name);
  const use = leaf.commands === undefined ? [...above, leaf.use, '[flags]'].join(' ') : `${pathName(path)} [command]`;
  const lines = ['Usage:', `  ${use}`, ''];
  if (leaf.commands !== undefined) {
    const commands = [...leaf.commands].sort((a, b) => (a.name < b.name ? -1 : 1));
    const width = Math.max(NAME_WIDTH_MIN, ...commands.map((c) => c.name.length));
    lines.push('Available Commands:', ...commands.map((c) => `  ${c.name.padEnd(width)} ${c.short}`), '');
  }
  const help: FlagSpec = {
    name: 'help',
    short: 'h',
    type: 'bool',
    value: 'false',
    usage: `help for ${nameOf(leaf, path)}`,
  };
  lines.push('Flags:', ...flagLines([...localFlags(path), help]));
  const inherited = inheritedFlags(path);
  if (inherited.length > 0) lines.push('', 'Global Flags:', ...flagLines(inherited));
  if (leaf.commands !== undefined) {
    lines.push('', `Use "${pathName(path)} [command] --help" for more information about a command.`);
  }
  return `${lines.join('\n')}\n`;
}

function nameOf(leaf: Command, path: Path): string {
  return path.length === 1 ? pathName(path) : leaf.name;
}

function flagLines(specs: readonly FlagSpec[]): string[] {
  const heads = [...specs]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((spec) => {
      const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
      const kind = spec.type === 'bool' ? '' : ` ${spec.type}`;
      return [`  ${short}--${spec.name}${kind}`, `${spec.usage}${defaultOf(spec)}`] as const;
    });
  const width = Math.max(...heads.map(([head]) => head.length)) + 3;
  return heads.map(([head, usage]) => head.padEnd(width) + usage);
}

function defaultOf({ type, value }: FlagSpec): string {
  if (value === '' || value === '0' || value === 'false') return '';
  return type === 'string' ? ` (default "${value}")` : ` (default ${value})`;
}
