import { API_VERSION, PROGRAM, VERSION } from './about.js';
import type { Command, Path } from './command.js';
import { inheritedFlags, leafOf, localFlags, pathName } from './command.js';
import type { FlagSpec } from './flags.js';

const TAB = 8;

/** The help of a command, in the layout of etcdctl's. */
export function helpText(path: Path): string {
  const leaf = leafOf(path);
  const isRoot = path.length === 1;
  const lines: string[] = ['NAME:', `\t${path.length > 1 ? pathName(path.slice(1)) : PROGRAM} - ${leaf.short}`, ''];
  const above = path.slice(0, -1).map((c) => c.name);
  lines.push('USAGE:', `\t${[...above, leaf.use].join(' ')}${leaf.bareUse ? '' : ' [flags]'}`, '');
  if (isRoot) lines.push('VERSION:', `\t${VERSION}`, '');
  if (leaf.commands !== undefined) {
    lines.push('API VERSION:', `\t${API_VERSION}`, '', '', 'COMMANDS:');
    lines.push(...columns(runnable(leaf, isRoot).map(([name, c]) => [`\t${name}`, c.short])), '');
  }
  if (leaf.long !== undefined) {
    lines.push('DESCRIPTION:', ...leaf.long.split('\n').map((line) => `\t${line}`), '');
  }
  const help: FlagSpec = {
    name: 'help',
    short: 'h',
    type: 'bool',
    value: 'false',
    usage: `help for ${isRoot ? PROGRAM : leaf.name}`,
  };
  lines.push('OPTIONS:', ...flagLines([...localFlags(path), help]), '');
  const inherited = inheritedFlags(path);
  if (inherited.length > 0) lines.push('GLOBAL OPTIONS:', ...flagLines(inherited), '');
  return `${lines.join('\n')}\n`;
}

/** The commands that do something; the root's with those below them. */
function runnable(command: Command, deep: boolean): [string, Command][] {
  const found: [string, Command][] = [];
  for (const c of command.commands ?? []) {
    if (c.commands === undefined) found.push([c.name, c]);
    else if (deep) for (const sub of c.commands) found.push([`${c.name} ${sub.name}`, sub]);
    else found.push([c.name, c]);
  }
  return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

function flagLines(specs: readonly FlagSpec[]): string[] {
  const sorted = [...specs].sort((a, b) => (a.name < b.name ? -1 : 1));
  return columns(
    sorted.map((s) => {
      const short = s.short === undefined ? '    ' : `-${s.short}, `;
      const value = s.type === 'strings' ? `=[${s.value}]` : `=${s.type === 'string' ? `"${s.value}"` : s.value}`;
      return [`  ${short}--${s.name}${s.type === 'bool' ? `[${value}]` : value}`, s.usage];
    }),
  );
}

/** Two columns, the first filled up with tabs to the next stop beyond its widest cell. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const indent = rows[0]?.[0].startsWith('\t') ? 1 : 0;
  const width = Math.max(0, ...rows.map(([first]) => first.length - indent));
  const stop = Math.ceil((width + 1) / TAB) * TAB;
  return rows.map(([first, second]) => {
    const tabs = Math.ceil((stop - (first.length - indent)) / TAB);
    return `${first}${'\t'.repeat(Math.max(1, tabs))}${second}`;
  });
}
