import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../../src/env/tls/certificate.js';
import type { KubeOptions, RunningKube } from '../../../src/kube/app/index.js';
import { startKube } from '../../../src/kube/app/index.js';
import { nullLogger } from '../../../src/util/log.js';
import { freePorts } from '../../support/ports.js';

/** A control plane on a store that is there already, which can go away and come back where it was. */
export class Server {
  readonly dir: string;
  readonly port: number;
  kube!: RunningKube;
  readonly #options: Partial<KubeOptions> & { endpoints: readonly string[] };

  private constructor(port: number, options: Partial<KubeOptions> & { endpoints: readonly string[] }) {
    this.dir = mkdtempSync(join(tmpdir(), 'keel-kube-'));
    this.port = port;
    this.#options = options;
  }

  static async start(options: Partial<KubeOptions> & { endpoints: readonly string[] }): Promise<Server> {
    const [port] = await freePorts(1);
    const server = new Server(port!, options);
    await server.open();
    return server;
  }

  async open(): Promise<void> {
    this.kube = await startKube({
      dataDir: join(this.dir, 'data'),
      port: this.port,
      compactionIntervalMs: 0,
      log: nullLogger,
      makeCertificate,
      ...this.#options,
    });
  }

  async restart(): Promise<void> {
    await this.kube.stop();
    await this.open();
  }

  async stop(): Promise<void> {
    await this.kube.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Polls. @throws when it is not so after 20 s */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 20_000): Promise<void> {
  const late = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > late) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
