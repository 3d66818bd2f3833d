/**
 * Writes the type tables of kube (`src/kube/machinery/types`) from a document that has one fenced table a group:
 *
 *   node scripts/kube-types.mjs types.md src/kube/machinery/types
 *
 * A table is headed by a line such as **core.v1** (`k8s.io.api.core.v1`). Tables that are written by hand (those of
 * groups that no client sends as protobuf) are not touched.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [source, folder] = process.argv.slice(2);
if (source === undefined || folder === undefined) {
  console.error('usage: node scripts/kube-types.mjs <document> <folder>');
  process.exit(2);
}

const SHORT = new Set(['apps', 'batch', 'autoscaling', 'policy']);

/** The group as clients name it: `core` is empty, most of the others are below k8s.io. */
function apiGroup(name) {
  if (name === 'core') return '';
  if (name === 'rbac') return 'rbac.authorization.k8s.io';
  return SHORT.has(name) ? name : `${name}.k8s.io`;
}

const text = readFileSync(source, 'utf8');
for (const [, name, openapi, table] of text.matchAll(/^\*\*([\w.]+)\*\* \(`([\w.]+)`\)\n\n```\n([^`]*)```/gm)) {
  const [group, version] = name.split('.');
  const constant = `${group}${version[0].toUpperCase()}${version.slice(1)}`;
  const lines = [
    `/** Wire types of ${name}, one message a line (grammar: \`line.ts\`). Made by scripts/kube-types.mjs: facts, not code. */`,
    "import type { TypeGroup } from './type-group.js';",
    '',
    `export const ${constant}: TypeGroup = {`,
    `  name: '${name}',`,
    `  group: '${apiGroup(group)}',`,
    `  version: '${version}',`,
    `  openapi: '${openapi.replace(/^k8s\.io\./, 'io.k8s.')}',`,
    `  table: \`\n${table}\`,`,
    '};',
    '',
  ];
  writeFileSync(join(folder, `${group}-${version}.ts`), lines.join('\n'));
}
