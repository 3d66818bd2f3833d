import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO_ROOT } from '../binaries.js';
import type { Json } from './contract.js';
import type { Answer } from './target.js';

/** One answer each, as far as it can be compared: ids of members and terms are left out, nothing else. */
export interface Answers {
  readonly rpc: string;
  readonly req: Json;
  readonly keel: Answer;
  readonly etcd: Answer;
  /** The revisions at which there was a compaction. */
  readonly compactions: ReadonlySet<number>;
}

/**
 * What a real etcd 3.5 is known to answer otherwise; the reasons stand in test/testdata/compat-3.5/differential.txt, by
 * these names. Each rule is as narrow as it can be: it looks at both answers.
 */
const RULES: Readonly<Record<string, (answers: Answers) => boolean>> = {
  'hash of a compaction': ({ rpc, req, compactions }) =>
    rpc === 'Maintenance/HashKV' && compactions.has(Number(req.revision ?? 0)),
};

/** @returns the name of the line that lists this difference, or null */
export function knownDifference(answers: Answers): string | null {
  for (const [name, applies] of Object.entries(RULES)) {
    if (applies(answers)) return name;
  }
  return null;
}

/** The names in the list, with their reasons. */
export const LISTED: ReadonlyMap<string, string> = new Map(
  readFileSync(join(REPO_ROOT, 'test', 'testdata', 'compat-3.5', 'differential.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' -- ') as [string, string]),
);
