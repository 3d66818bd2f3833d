import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running `keel cluster up` leaves for the other commands: `<dataDir>/cluster.run.json`. */
export interface RunFile {
  readonly pid: number;
  /** Of the control listener, on 127.0.0.1. */
  readonly port: number;
  /** Whoever can read the file may command. */
  readonly token: string;
}

export function runFilePath(dataDir: string): string {
  return join(dataDir, 'cluster.run.json');
}

export function writeRunFile(dataDir: string, run: RunFile): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(runFilePath(dataDir), `${JSON.stringify(run)}\n`, { mode: 0o600 });
}

export function removeRunFile(dataDir: string): void {
  rmSync(runFilePath(dataDir), { force: true });
}

/** Null if no cluster runs on this folder: a file of a process that is gone does not count. */
export function readRunFile(dataDir: string): RunFile | null {
  try {
    const run = JSON.parse(readFileSync(runFilePath(dataDir), 'utf8')) as RunFile;
    process.kill(run.pid, 0);
    return run;
  } catch {
    return null;
  }
}
