import { Exit, Fail } from '../ctl/fail.js';
import type { Io } from '../ctl/io.js';

/** One answer: its columns, and its values as json has them. */
export interface Answer {
  readonly header: readonly string[];
  readonly row: readonly string[];
  /** Name and value of each line of the form `fields`. */
  readonly fields: readonly (readonly [string, string | number])[];
  readonly json: object;
}

const FORMATS = ['simple', 'fields', 'json', 'protobuf', 'table'];

/** Looked at before a file is read. @throws Fail (4) */
export function mustKnowFormat(format: string): void {
  if (!FORMATS.includes(format)) throw new Fail(Exit.BAD_FEATURE, 'unsupported output format');
}

/** @throws Fail (4) */
export function print(io: Io, format: string, answer: Answer): void {
  const { header, row, fields, json } = answer;
  switch (format) {
    case 'simple':
      return io.out(`${row.join(', ')}\n`);
    case 'json':
      return io.out(`${JSON.stringify(json)}\n`);
    case 'fields':
      return io.out(fields.map(([name, value]) => `"${name}" : ${value}\n`).join(''));
    case 'table':
      return io.out(table(header, row));
    default:
      throw new Fail(Exit.BAD_FEATURE, `${format} not supported as output format`);
  }
}

function table(header: readonly string[], row: readonly string[]): string {
  const titles = header.map((title) => title.toUpperCase());
  const widths = titles.map((title, i) => Math.max(title.length, row[i]!.length));
  const border = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const line = (cells: readonly string[]): string => `|${cells.map((cell) => ` ${cell} `).join('|')}|\n`;
  const centred = titles.map((title, i) => {
    const width = widths[i]!;
    return title.padStart(title.length + Math.floor((width - title.length) / 2)).padEnd(width);
  });
  return border + line(centred) + border + line(row.map((cell, i) => cell.padStart(widths[i]!))) + border;
}
