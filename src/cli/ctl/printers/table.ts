import type * as wire from '../../../wire/index.js';
import { Exit, Fail } from '../fail.js';
import type { Io } from '../io.js';
import type { EndpointHash, EndpointStatus, Health, Printer } from './printer.js';
import type { Rows } from './rows.js';
import { hashRows, healthRows, memberRows, statusRows } from './rows.js';

/** Lists in a box; whatever is no list has no form here. */
export class TablePrinter implements Printer {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  memberList(r: wire.MemberListResponse): void {
    this.#table(memberRows(r));
  }

  health(list: readonly Health[]): void {
    this.#table(healthRows(list));
  }

  status(list: readonly EndpointStatus[]): void {
    this.#table(statusRows(list));
  }

  hashKv(list: readonly EndpointHash[]): void {
    this.#table(hashRows(list));
  }

  readonly get = unsupported;
  readonly put = unsupported;
  readonly del = unsupported;
  readonly txn = unsupported;
  readonly watch = unsupported;
  readonly grant = unsupported;
  readonly revoke = unsupported;
  readonly keepAlive = unsupported;
  readonly timeToLive = unsupported;
  readonly leases = unsupported;
  readonly memberAdd = unsupported;
  readonly memberRemove = unsupported;
  readonly memberUpdate = unsupported;
  readonly memberPromote = unsupported;
  readonly alarm = unsupported;
  readonly downgrade = unsupported;
  readonly moveLeader = unsupported;

  #table({ header, rows }: Rows): void {
    const titles = header.map((title) => title.toUpperCase().replaceAll('_', ' '));
    const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
    const border = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
    const line = (cells: readonly string[]) => `|${cells.map((cell) => ` ${cell} `).join('|')}|\n`;
    const top = line(titles.map((title, i) => centre(title, widths[i]!)));
    const body = rows.map((row) => line(row.map((cell, i) => cell.padStart(widths[i]!))));
    this.#io.out(border + top + border + body.join('') + border);
  }
}

function centre(text: string, width: number): string {
  return text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width);
}

function unsupported(): void {
  throw new Fail(Exit.BAD_FEATURE, 'table not supported as output format');
}
