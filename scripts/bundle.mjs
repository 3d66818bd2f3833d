/**
 * `node scripts/bundle.mjs DIST`: packs keelctl and keelutl, which people start a hundred times a day, into few files in
 * place of the many that the compiler made of them: reading and linking those takes longer than the command itself.
 * What a command alone needs stays in a file of its own. @grpc/grpc-js is packed beside them, without its reflection.
 */
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const dist = process.argv[2];
const cli = join(dist, 'cli');
const grpc = '@grpc/grpc-js';
const require = createRequire(import.meta.url);
const output = { minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } } };

await pack(
  { input: { [join('packed', 'grpc-js')]: require.resolve(grpc) }, external: ['@grpc/proto-loader'] },
  { dir: cli, format: 'cjs', entryFileNames: '[name].cjs' },
);
const input = Object.fromEntries(['keelctl', 'keelutl'].map((name) => [name, join(cli, `${name}.js`)]));
await pack(
  { input, external: (id) => !/^[./]/.test(id), plugins: [{ name: 'packed-grpc', transform: usePackedGrpc }] },
  { dir: cli, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'packed/[name].js' },
);
// They were of the compiler's files.
for (const name of Object.keys(input)) rmSync(join(cli, `${name}.js.map`), { force: true });

async function pack(options, to) {
  const bundle = await rolldown({ platform: 'node', logLevel: 'warn', ...options });
  await bundle.write({ ...output, ...to });
  await bundle.close();
}

/** Every chunk that loads grpc-js lies in packed/. */
function usePackedGrpc(code) {
  const plain = `createRequire(import.meta.url)('${grpc}')`;
  return code.includes(plain) ? code.replace(plain, "createRequire(import.meta.url)('./grpc-js.cjs')") : null;
}

if (!existsSync(join(cli, 'packed', 'grpc-js.cjs'))) throw new Error('nothing was packed');
