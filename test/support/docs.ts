import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO_ROOT } from './binaries.js';

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Of its first line. */
  readonly line: number;
  /** After the fence: `sh`, `text`, `ts` ... */
  readonly language: string;
  readonly text: string;
  /** `<!-- not run: WHY -->` on the line before it. */
  readonly notRun: string | undefined;
}

/** Pages whose commands take long, with the program that they need besides ours. */
export const LONG_PAGES: ReadonlyMap<string, 'etcd' | 'nothing else'> = new Map([
  ['docs/operations.md', 'nothing else'],
  ['docs/migrating.md', 'etcd'],
]);

/** The pages that people read, by their paths from the root. */
export function pages(): string[] {
  const docs = readdirSync(join(REPO_ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.sort().map((name) => `docs/${name}`)];
}

export function blocksOf(page: string): Block[] {
  const lines = readFileSync(join(REPO_ROOT, page), 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    // What has to stand before the page's commands can be given, where readers have it already.
    if (lines[i] === '<!-- setup') {
      const end = lines.indexOf('-->', i);
      const text = lines.slice(i + 1, end).join('\n');
      blocks.push({ page, line: i + 2, language: 'sh', text, notRun: undefined });
      i = end;
      continue;
    }
    const fence = /^```(\w*)$/.exec(lines[i]!);
    if (fence === null) continue;
    const before = lines.slice(0, i).findLast((l) => l.trim() !== '');
    const end = lines.indexOf('```', i + 1);
    if (end < 0) throw new Error(`${page}:${i + 1}: the block has no end`);
    const notRun = /^<!-- not run: (.+) -->$/.exec(before ?? '')?.[1];
    blocks.push({ page, line: i + 2, language: fence[1]!, text: lines.slice(i + 1, end).join('\n'), notRun });
    i = end;
  }
  return blocks;
}

/** A block of commands with what it has to print, if the page says so right behind it. */
export interface Step {
  readonly block: Block;
  readonly prints: readonly string[];
}

export function stepsOf(page: string): Step[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((block, i) => {
    if (block.language !== 'sh' || block.notRun !== undefined) return [];
    const next = blocks[i + 1];
    const follows = next?.language === 'text' && next.line === block.line + block.text.split('\n').length + 2;
    return [{ block, prints: follows ? next.text.split('\n') : [] }];
  });
}

/** A line of a page against a line that was printed: `...` stands for anything. */
export function printedAs(expected: string, printed: string): boolean {
  const parts = expected.split('...').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(printed);
}
