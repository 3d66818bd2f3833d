import { describe, expect, test } from 'vitest';
import { filesUnder, importOffences, importsOf } from './house.js';

/** The offences of a file that lies at `path` and has these imports. */
const offencesOf = (path: string, ...specifiers: string[]) =>
  importOffences({ path, text: specifiers.map((s, i) => `import { a${i} } from '${s}';\n`).join('') });

describe('the direction of imports', () => {
  test('every file of src keeps to it', () => {
    const files = filesUnder('src', '.ts');
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap(importOffences)).toEqual([]);
  });

  test.each([
    ['up', 'src/raft/log.ts', '../server/pump.js', 'raft does not see server'],
    ['up from a folder in a room', 'src/storage/wal/wal.ts', '../../mvcc/index.js', 'storage does not see mvcc'],
    ['sideways', 'src/lease/lessor.ts', '../mvcc/index.js', 'lease does not see mvcc'],
    ['util to a room', 'src/util/rng.ts', '../wire/index.js', 'util does not see wire'],
    ['the real machine below the top', 'src/server/pump.ts', '../env/index.js', 'server is handed its environment'],
    ['the simulator', 'src/cli/keel.ts', '../sim/index.js', 'nothing imports sim'],
    ['the real machine in the simulator', 'src/sim/cluster.ts', '../env/index.js', 'sim sees types of env only'],
    ['the member from the client', 'src/client/watch.ts', '../server/api.js', 'client does not see server'],
    ['the member from the cluster', 'src/cluster/up.ts', '../server/api.js', 'cluster does not see server'],
    ['the member past its front door', 'src/cli/keel.ts', '../rpc/kv.js', 'cli does not see rpc'],
    ['the store from kube', 'src/kube/registry/store.ts', '../../mvcc/index.js', 'kube does not see mvcc'],
    ['etcd from h2', 'src/h2/frames.ts', '../wire/index.js', 'h2 does not see wire'],
    ['the front door from below', 'src/rpc/kv.ts', '../index.js', 'rpc lies below src/index.ts'],
    ['kube, up', 'src/kube/machinery/patch.ts', '../kinds/pod.js', 'kube/machinery does not see kube/kinds'],
    [
      'kube, sideways',
      'src/kube/scheduler/fit.ts',
      '../controllers/job.js',
      'kube/scheduler does not see kube/controllers',
    ],
    ['a room that is none', 'src/raft/log.ts', '../helpers/x.js', 'helpers is no room of the house'],
    ['a room that is none, from within', 'src/helpers/x.ts', '../util/x.js', 'helpers is no room of the house'],
    ['out of src', 'src/raft/log.ts', '../../test/support/fc.js', 'outside of src'],
    ['without .js', 'src/raft/log.ts', './progress', 'a relative import ends in .js'],
    ['a package of another room', 'src/server/pump.ts', 'classic-level', 'classic-level is for env'],
    ['a package of nobody', 'src/server/pump.ts', 'lodash/map', 'lodash is not a package that src may use'],
    ['a built-in without its prefix', 'src/cli/keel.ts', 'fs', 'write node:fs'],
  ])('catches %s', (_name, path, specifier, why) => {
    const offences = offencesOf(path, '../util/assert.js', specifier).filter((o) => !o.includes('util/assert'));
    expect(offences).toHaveLength(1);
    expect(offences[0]).toContain(`${path}:2: imports ${specifier}: ${why}`);
  });

  test.each([
    ['src/raft/log.ts', '../wire/index.js', '../util/rng.js', './progress.js'],
    ['src/server/pump.ts', '../raft/index.js', '../mvcc/index.js', '../auth/index.js', '../peer/api.js'],
    ['src/cli/keel.ts', '../index.js', '../client/index.js', '../env/index.js', 'node:fs'],
    ['src/index.ts', './env/index.js', './rpc/index.js', './server/index.js', './client/index.js'],
    ['src/sim/cluster.ts', '../server/index.js', '../client/core/watcher.js'],
    ['src/kube/app/start.ts', '../controllers/job.js', '../server/https.js', '../../client/index.js'],
    ['src/kube/server/pipeline.ts', '../authn/index.js', '../kinds/pod.js'],
  ])('lets %s see what lies below', (path, ...specifiers) => {
    expect(offencesOf(path, ...specifiers)).toEqual([]);
  });

  test('sees every form of an import', () => {
    const text = `
      import type { A } from './a.js';
      import b, { type C } from './b.js';
      import './c.js';
      export * from './d.js';
      export type { E } from './e.js';
      const f = await import('./f.js');
      type G = import('./g.js').G;
      // import h from './h.js';
      const i = "import i from './i.js'";
    `;
    const imports = importsOf({ path: 'src/x.ts', text });
    expect(imports.map((i) => i.specifier)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((x) => `./${x}.js`));
    expect(imports.filter((i) => i.typeOnly).map((i) => i.specifier)).toEqual(['./a.js', './e.js', './g.js']);
    expect(imports[1]!.line).toBe(3);
  });
});
