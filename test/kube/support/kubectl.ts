import { execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import type { KubeOptions } from '../../../src/kube/app/index.js';
import { onPath } from '../../support/binaries.js';
import type { PlaneStore } from './plane.js';
import { Plane, planeStores } from './plane.js';

/** The real kubectl: KEEL_TEST_KUBECTL_BIN, else PATH. Undefined where the machine has none. */
export const kubectlBinary: string | undefined = process.env.KEEL_TEST_KUBECTL_BIN || onPath('kubectl');

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A command line in words; quotes keep spaces together, backslashes mean nothing. */
export function words(line: string): string[] {
  const list: string[] = [];
  for (const match of line.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)) {
    list.push(match[0].replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
  }
  return list;
}

/** kubectl against one control plane, with a home and a kubeconfig of its own. */
export class Kubectl {
  readonly plane: Plane;
  readonly home: string;

  constructor(plane: Plane) {
    this.plane = plane;
    this.home = join(plane.dir, 'home');
    mkdirSync(this.home, { recursive: true });
  }

  env(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, HOME: this.home, KUBECONFIG: this.plane.kube.kubeconfig, ...more };
  }

  /** However it ends. */
  outcome(line: string, options: RunOptions = {}): Promise<Outcome> {
    return new Promise((resolve) => {
      const env = this.env(options.env);
      const limits = { timeout: 60_000, maxBuffer: 1 << 26 };
      const child = execFile(kubectlBinary!, words(line), { env, ...limits }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
      child.stdin!.on('error', () => {});
      child.stdin!.end(options.stdin ?? '');
    });
  }

  /** @returns stdout @throws if it fails, with what it said */
  async run(line: string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.outcome(line, options);
    if (code !== 0) throw new Error(`kubectl ${line}: status ${code}\n${stderr}${stdout}`);
    return stdout;
  }

  /** @returns status and stderr @throws if it does not fail */
  async refused(line: string, options: RunOptions = {}): Promise<Outcome> {
    const outcome = await this.outcome(line, options);
    if (outcome.code === 0) throw new Error(`kubectl ${line} was not refused:\n${outcome.stdout}`);
    return outcome;
  }

  async json(line: string, options: RunOptions = {}): Promise<any> {
    return JSON.parse(await this.run(`${line} -o json`, options));
  }

  /** One field: `spec.replicas`. Empty if it is not there. */
  field(what: string, path: string): Promise<string> {
    return this.run(`get ${what} -o 'jsonpath={.${path}}'`);
  }

  /** A file in the home, for -f. @returns its path */
  file(name: string, text: string): string {
    const path = join(this.home, name);
    writeFileSync(path, text);
    return path;
  }

  /** Goes on in the background; what it prints is kept. */
  start(line: string): Background {
    return new Background(spawn(kubectlBinary!, words(line), { env: this.env(), stdio: ['ignore', 'pipe', 'pipe'] }));
  }
}

export class Background {
  stdout = '';
  stderr = '';
  code: number | null = null;
  readonly ended: Promise<void>;
  readonly #child: ReturnType<typeof spawn>;
  #waiting: (() => void)[] = [];

  constructor(child: ReturnType<typeof spawn>) {
    this.#child = child;
    const wake = (): void => this.#waiting.splice(0).forEach((one) => void one());
    child.stdout!.on('data', (chunk) => {
      this.stdout += chunk;
      wake();
    });
    child.stderr!.on('data', (chunk) => {
      this.stderr += chunk;
      wake();
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => {
        this.code = code;
        wake();
        resolve();
      });
    });
  }

  /** Until the output looks so. @throws after 15 s, or when it ends before */
  async until(condition: (stdout: string) => boolean): Promise<void> {
    const late = Date.now() + 15_000;
    while (!condition(this.stdout)) {
      if (this.code !== null || Date.now() > late) {
        throw new Error(`status ${this.code}, waited in vain:\n${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/**
 * A suite that drives kubectl, for each store that is to be tested. Its control plane starts before the first test and
 * stops behind the last.
 */
export function describeKubectl(
  name: string,
  body: (kubectl: () => Kubectl, store: PlaneStore) => void,
  options: Partial<KubeOptions> = {},
): void {
  for (const store of planeStores()) {
    const title = `${name} (${store})`;
    if (kubectlBinary === undefined) {
      describe.skip(`${title}: no kubectl: set KEEL_TEST_KUBECTL_BIN or put kubectl on PATH`, () => {
        body(() => undefined as never, store);
      });
      continue;
    }
    describe(title, () => {
      let kubectl: Kubectl;
      beforeAll(async () => {
        kubectl = new Kubectl(await Plane.start(store, options));
      });
      afterAll(() => kubectl?.plane.stop());
      body(() => kubectl, store);
    });
  }
}

/** Lines of a table as lists of cells: columns are apart by two spaces at least. */
export function rows(text: string): string[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/\s{2,}/));
}
