/** The program of docs/controllers.md, as it stands there, against a control plane. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ApiStatusError,
  CONFIG_MAPS,
  EVENTS,
  fromKubeconfig,
  HttpApiClient,
  LEASES,
  SERVICES,
} from '../../../src/kube/kit/index.js';
import { REPO_ROOT } from '../../support/binaries.js';
import { blocksOf } from '../../support/docs.js';
import { Plane } from '../support/plane.js';

const KIT = join(REPO_ROOT, 'dist', 'kube', 'kit', 'index.js');
const lacking = !existsSync(KIT);
if (lacking) console.warn(`SKIPPED the controller of docs/controllers.md: ${KIT} is not built`);

let plane: Plane;
let client: HttpApiClient;
const children: ChildProcess[] = [];
let printed = '';

beforeAll(async () => {
  if (lacking) return;
  plane = await Plane.start();
  client = new HttpApiClient(fromKubeconfig(plane.kube.kubeconfig));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  client?.close();
  await plane?.stop();
});

test.skipIf(lacking)(
  'the controller of the page makes, mends and counts as one of several',
  async () => {
    const [block] = blocksOf('docs/controllers.md').filter((b) => b.language === 'js');
    const file = join(plane.dir, 'greeter.mjs');
    writeFileSync(file, block!.text.replace("'keel/kube'", `'${pathToFileURL(KIT)}'`));
    const run = () => {
      const child = spawn(process.execPath, [file], { env: { ...process.env, KUBECONFIG: plane.kube.kubeconfig } });
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => void (printed += chunk));
      children.push(child);
      return child;
    };
    run();
    run();
    const metadata = { name: 'web', annotations: { 'example.com/greet': 'hello' } };
    const spec = { ports: [{ port: 80 }], selector: { app: 'web' } };
    const service = await client
      .resource(SERVICES)
      .create('default', { apiVersion: 'v1', kind: 'Service', metadata, spec });

    const greeting = async () => {
      try {
        return (await client.resource(CONFIG_MAPS).get('default', 'web-greeting')).data.greeting;
      } catch (err) {
        if (err instanceof ApiStatusError) return err.reason;
        throw err;
      }
    };
    await until(async () => (await greeting()) === 'hello');
    const made = await client.resource(CONFIG_MAPS).get('default', 'web-greeting');
    expect(made.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Service',
        name: 'web',
        uid: service.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    // Somebody meddles, and the wish changes.
    await client.resource(CONFIG_MAPS).patch('default', 'web-greeting', 'merge', { data: { greeting: 'bye' } });
    await until(async () => (await greeting()) === 'hello');
    const wish = { metadata: { annotations: { 'example.com/greet': 'good day' } } };
    await client.resource(SERVICES).patch('default', 'web', 'merge', wish);
    await until(async () => (await greeting()) === 'good day');
    await until(async () => (await client.resource(EVENTS).list('default')).items.some((e) => e.reason === 'Greeted'));

    // Both ask for the Lease; one has it.
    const lease = await client.resource(LEASES).get('default', 'greeter');
    expect(children.map((child) => `greeter-${child.pid}`)).toContain(lease.spec.holderIdentity);
    expect(printed.match(/^leads /gm)).toHaveLength(1);
  },
  60_000,
);

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within 20 s; printed:\n${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
