import { barLines } from './bar.js';
import type { Report } from './report.js';
import { cells, HEAD, headLines } from './report.js';

/** docs/benchmarks.md, made anew by each `npm run bench -- --write-docs`. */
export function markdown(report: Report, command: string): string {
  const bar = barLines(report).map(({ work, bar: wanted, ratio, verdict }) => [
    work,
    wanted,
    ratio === null ? '' : `${ratio.toFixed(2)}x`,
    verdict,
  ]);
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- --write-docs`; not to be edited by hand. How it measures stands in `bench/README.md`.',
    'Three members each, fsync on, in the same run on the same machine, which the load shares with them: only the ratios',
    'mean anything elsewhere. Each figure is the median of the repetitions, the two systems in alternation.',
    '',
    '```text',
    command,
    ...headLines(report),
    '```',
    '',
    ...(bar.length > 0
      ? [
          '## The bar',
          '',
          ...rows([['work', 'wanted', 'ratio to etcd', ''], ...bar]),
          '',
          '![ratios](benchmarks.svg)',
          '',
        ]
      : []),
    '## All figures',
    '',
    ...rows([HEAD, ...cells(report)]),
    '',
  ].join('\n');
}

function rows([head, ...body]: string[][]): string[] {
  const line = (row: string[]): string => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head!), `|${head!.map(() => '---').join('|')}|`, ...body.map(line)];
}
