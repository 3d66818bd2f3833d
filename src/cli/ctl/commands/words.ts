import { unquote } from '../go.js';

const WORD = /"(?:[^"\\]|\\.)*"|'[^']*'|[^'"\s]\S*/g;

/** The words of an interactive line; double quotes are Go's string literals, single quotes take all as it stands. */
export function splitWords(line: string): string[] {
  return (line.match(WORD) ?? []).map((word) => {
    if (word.startsWith("'")) return word.slice(1, -1);
    if (word.startsWith('"')) return unquote(word)?.toString('utf8') ?? word.slice(1, -1);
    return word;
  });
}
