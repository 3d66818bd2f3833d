/** Exit codes of etcdctl (etcd operations, section 5.1). */
export const Exit = {
  OK: 0,
  ERROR: 1,
  BAD_CONNECTION: 2,
  INVALID_INPUT: 3,
  BAD_FEATURE: 4,
  INTERRUPTED: 5,
  BAD_ARGS: 128,
} as const;

/** Ends the command. `message` goes to stderr after "Error: "; null says nothing. */
export class Fail extends Error {
  readonly exitCode: number;
  readonly text: string | null;

  constructor(exitCode: number, text: string | null) {
    super(text ?? `exit ${exitCode}`);
    this.exitCode = exitCode;
    this.text = text;
  }
}

export function badArgs(text: string): Fail {
  return new Fail(Exit.BAD_ARGS, text);
}
