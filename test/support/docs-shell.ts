import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { etcdBinary, etcdctlBinary, KEEL_PROGRAM, onPath } from './binaries.js';
import type { Step } from './docs.js';
import { printedAs } from './docs.js';
import { freePorts } from './ports.js';

const STEP_MS = 60_000;

/** Gives a page's commands in their order, in one shell and an empty folder, with free ports for those of the page. */
export async function run(steps: readonly Step[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'keel-docs-'));
  const shell = new Shell(dir, await portMap(steps));
  try {
    for (const { block, prints } of steps) {
      const at = `${block.page}:${block.line}`;
      const { status, output } = await shell.run(block.text);
      if (status !== 0) throw new Error(`${at}: ended with ${status}\n${output}`);
      const lines = output.split('\n');
      for (const line of prints) {
        if (!lines.some((l) => printedAs(line, l)))
          throw new Error(`${at}: did not print ${JSON.stringify(line)}, but\n${output}`);
      }
    }
  } finally {
    await shell.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Ports of the page: a free one for each. */
async function portMap(steps: readonly Step[]): Promise<Map<string, string>> {
  const text = steps.map((s) => `${s.block.text}\n${s.prints.join('\n')}`).join('\n');
  const named = [...new Set(text.match(/\b(?:[1-9]?2379|[1-9]?2380|6443|[1-9]?2381)\b/g) ?? [])];
  const ports = await freePorts(named.length + 1);
  return new Map([...named, '2379'].map((name, i) => [name, String(ports[i])]));
}

/** One bash that is fed block by block. Its children are its process group, and end with it. */
class Shell {
  readonly #child;
  readonly #ports: Map<string, string>;
  #output = '';
  #ended = false;
  #wake: () => void = () => {};

  constructor(dir: string, ports: Map<string, string>) {
    this.#ports = ports;
    const bin = join(dir, '.bin');
    mkdirSync(bin);
    const shim = (name: string, text: string) => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    };
    const node = (name: string) => `exec '${process.execPath}' '${join(dirname(KEEL_PROGRAM), `${name}.js`)}'`;
    shim('keel', `${node('keel')} "$@"`);
    shim('keelutl', `${node('keelutl')} "$@"`);
    // The default endpoint is a port of the page too; a flag and the variable together would be refused, as by etcdctl.
    const known = `case "$*" in *"--endpoints"*) ;; *) set -- --endpoints 127.0.0.1:${ports.get('2379')} "$@" ;; esac`;
    shim('keelctl', `${known}\n${node('keelctl')} "$@"`);
    if (etcdctlBinary() !== undefined) shim('etcdctl', `${known}\nexec '${etcdctlBinary()}' "$@"`);
    const etcd = etcdBinary();
    const path = [bin, ...(etcd === undefined ? [] : [dirname(etcd)]), process.env.PATH ?? ''].join(delimiter);
    const home = { HOME: dir };
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(ETCD|KEEL)/.test(k))),
      PATH: path,
      ...home,
    };
    // Job control, as in a terminal: %2 is the second job.
    this.#child = spawn(onPath('bash') ?? 'bash', ['--norc', '-m'], {
      cwd: dir,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const take = (chunk: Buffer) => {
      this.#output += chunk.toString();
      this.#wake();
    };
    this.#child.stdout.on('data', take);
    this.#child.stderr.on('data', take);
    this.#child.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** @returns the exit status of the first command that failed, else 0; and what was printed, with the page's ports */
  async run(text: string): Promise<{ status: number; output: string }> {
    let own = text;
    for (const [page, port] of this.#ports)
      own = own.replaceAll(new RegExp(`(?<!\\d)${page}(?!\\d)`, 'g'), `@${port}@`);
    own = own.replaceAll(/@(\d+)@/g, '$1');
    this.#output = '';
    const mark = `block-${Math.random().toString(36).slice(2)}`;
    // `set -e` in the shell itself would end it; an ERR trap tells which command failed and the rest is left out.
    this.#child.stdin.write(
      `failed=0; trap 'code=$?; [ $failed = 0 ] && failed=$code' ERR\n${own}\ntrap - ERR; printf '\\n%s %s\\n' ${mark} $failed\n`,
    );
    const end = Date.now() + STEP_MS;
    const done = new RegExp(`\\n${mark} (\\d+)\\n`);
    for (;;) {
      const match = done.exec(this.#output);
      if (match !== null)
        return { status: Number(match[1]), output: this.#asOnThePage(this.#output.slice(0, match.index)) };
      if (this.#ended) return { status: -1, output: `the shell ended\n${this.#output}` };
      if (Date.now() > end) return { status: -1, output: `not done within ${STEP_MS} ms\n${this.#output}` };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 200).unref();
      });
    }
  }

  #asOnThePage(output: string): string {
    let text = output;
    for (const [page, port] of this.#ports) text = text.replaceAll(port, page);
    return text;
  }

  async close(): Promise<void> {
    // Jobs of a shell with job control are groups of their own: they are asked of it before it goes.
    if (!this.#ended) {
      await this.run('kill -9 $(jobs -p) 2>/dev/null; true');
      const gone = new Promise((resolve) => this.#child.once('close', resolve));
      this.#child.stdin.end('exit\n');
      const timer = setTimeout(() => process.kill(-this.#child.pid!, 'SIGKILL'), 2000);
      await gone;
      clearTimeout(timer);
    }
  }
}
