/**
 * Every command that a page tells its readers to give is given here, page by page, in the order of the page, in one shell
 * and an empty folder, with ports of our own for those of the page. Those that take long are in commands.long.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { sayIfMissing } from '../support/binaries.js';
import { blocksOf, LONG_PAGES, pages, stepsOf } from '../support/docs.js';
import { run } from '../support/docs-shell.js';

const lacking = sayIfMissing('the commands of the pages', 'keel');

test.each(pages())('%s says of each block what it is', (page) => {
  for (const { line, language } of blocksOf(page)) expect(language, `${page}:${line}`).not.toBe('');
});

describe.skipIf(lacking)('the commands', () => {
  const runnable = pages().filter((page) => stepsOf(page).length > 0 && !LONG_PAGES.has(page));
  test('are on several pages', () => expect(runnable.length).toBeGreaterThan(2));
  test.each(runnable)('%s', async (page) => run(stepsOf(page)), 100_000);
});
