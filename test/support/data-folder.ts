import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

/** The best quality takes seconds for 64 MB of zeros, and gains nothing. */
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

/** A folder's files as one compressed text: a log's preallocated zeros take no room in it. */
export function packFolder(dir: string): string {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[relative(dir, path)] = brotliCompressSync(readFileSync(path), QUICK).toString('base64');
    if (statSync(path).size === 0) files[relative(dir, path)] = '';
  }
  return JSON.stringify(files, null, 1);
}

export function unpackFolder(packed: string, dir: string): void {
  for (const [path, content] of Object.entries(JSON.parse(packed) as Record<string, string>)) {
    const target = join(dir, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const bytes = content === '' ? Buffer.alloc(0) : brotliDecompressSync(Buffer.from(content, 'base64'));
    writeFileSync(target, bytes, { mode: 0o600 });
  }
}
