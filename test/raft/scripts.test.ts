import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runScript } from './support/script.js';

// Each file tells a story; `npm run test:rewrite` writes what happens now, and the diff is to be read.

const DIR = join(import.meta.dirname, '../testdata/raft');
const REWRITE = process.env.KEEL_TEST_REWRITE === '1' || process.env.KEEL_REWRITE === '1';

describe('scripts', () => {
  const files = readdirSync(DIR).filter((f) => f.endsWith('.txt'));

  it('are at least 30', () => expect(files.length).toBeGreaterThanOrEqual(30));

  for (const file of files) {
    it(file, () => {
      const path = join(DIR, file);
      const text = readFileSync(path, 'utf8');
      const actual = runScript(text);
      if (REWRITE) {
        if (actual !== text) writeFileSync(path, actual);
      } else expect(actual).toBe(text);
    });
  }
});
