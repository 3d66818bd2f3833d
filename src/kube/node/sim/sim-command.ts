/** Commands that a simulated container understands: `sleep`, `echo`, `true`, `false`, `exit`, alone or in `sh -c`. */
import { durationMs } from './rules.js';

export type SimStep =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'sleep'; readonly ms: number }
  | { readonly kind: 'exit'; readonly code: number }
  /** From the first step again. */
  | { readonly kind: 'again' };

const SHELLS = new Set(['sh', 'bash', 'ash', '/bin/sh', '/bin/bash', '/bin/ash']);
/** A loop without a pause would never let go. */
const LOOP_PAUSE_MS = 1000;

/** @returns null where it is not understood */
export function stepsOf(words: readonly string[]): readonly SimStep[] | null {
  if (words.length === 0) return null;
  const [program = '', flag = '', script] = words;
  if (!SHELLS.has(program)) return stepOf(words);
  if (!/^-\w*c$/.test(flag) || script === undefined) return null;
  const loop = /^\s*while\s+(?:true|:|\[ 1 \])\s*;?\s*do\s+([\s\S]*?);?\s*done\s*;?\s*$/.exec(script);
  const steps: SimStep[] = [];
  for (const part of (loop?.[1] ?? script).split(/&&|;|\n/)) {
    const line = part.trim();
    if (line === '' || line.startsWith('#')) continue;
    const step = stepOf(split(line));
    if (step === null) return null;
    steps.push(...step);
    // What stands behind a command that fails by && is not looked at; behind an exit there is nothing.
    if (step.some((one) => one.kind === 'exit')) break;
  }
  if (loop === null) return steps;
  if (!steps.some((step) => step.kind === 'sleep')) steps.push({ kind: 'sleep', ms: LOOP_PAUSE_MS });
  return [...steps, { kind: 'again' }];
}

function stepOf(words: readonly string[]): SimStep[] | null {
  const [command = '', ...args] = words;
  switch (command.replace(/^\/(usr\/)?bin\//, '')) {
    case 'sleep':
      if (args[0] === 'infinity' || args[0] === 'inf') return [{ kind: 'sleep', ms: Number.POSITIVE_INFINITY }];
      return [{ kind: 'sleep', ms: args.reduce((sum, one) => sum + durationMs(one), 0) }];
    case 'echo': {
      if (args.some((one) => /[>|<]/.test(one))) return null;
      return [{ kind: 'say', text: args.filter((one, i) => i > 0 || one !== '-n').join(' ') }];
    }
    case 'true':
    case ':':
      return [];
    case 'false':
      return [{ kind: 'exit', code: 1 }];
    case 'exit':
      return [{ kind: 'exit', code: Number(args[0] ?? 0) & 255 }];
    default:
      return null;
  }
}

function split(line: string): string[] {
  return [...line.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double),
  );
}
