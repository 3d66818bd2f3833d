import type { KeelClientOptions } from '../../client/index.js';
import { KeelClient, KeelError } from '../../client/index.js';
import { mustFit, read } from '../../env/tls/files.js';
import { TlsError } from '../../env/tls/settings.js';
import { badArgs, Exit, Fail } from './fail.js';
import type { Flags } from './flags.js';
import type { Io } from './io.js';
import { askPassword } from './password.js';
import { makePrinter } from './printers/index.js';
import type { Printer } from './printers/printer.js';

/** What a command works with. */
export class Context {
  readonly flags: Flags;
  readonly io: Io;
  /** How many arguments stood before `--`; -1 if there was none. */
  readonly dash: number;
  /** Everything on the command line that was not the command's name. */
  readonly rawArgs: readonly string[];
  #client: KeelClient | null = null;
  #printer: Printer | null = null;

  constructor(flags: Flags, io: Io, dash: number, rawArgs: readonly string[]) {
    this.flags = flags;
    this.io = io;
    this.dash = dash;
    this.rawArgs = rawArgs;
  }

  get endpoints(): string[] {
    return this.flags.strings('endpoints');
  }

  get timeoutMs(): number {
    return this.flags.duration('command-timeout');
  }

  /** Connects to nothing yet. @throws Fail */
  get client(): KeelClient {
    this.#client ??= new KeelClient(this.clientOptions());
    return this.#client;
  }

  /** --user without a password: it is asked for, where a command connects. */
  async askCredentials(): Promise<void> {
    const { flags } = this;
    const user = flags.string('user');
    if (user === '' || user.includes(':') || flags.changed('password')) return;
    const spec = flags.specs.find(({ name }) => name === 'password');
    if (spec !== undefined) flags.set(spec, await askPassword(this.io, 'Password: '));
  }

  get printer(): Printer {
    this.#printer ??= makePrinter(this.flags.string('write-out'), this.flags.bool('hex'), this.io);
    return this.#printer;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  /** @param other another cluster: where it is, and what the names of its flags begin with */
  clientOptions(other?: { readonly endpoint: string; readonly prefix: string }): KeelClientOptions {
    const { flags } = this;
    const prefix = other?.prefix ?? '';
    // An unknown output format is refused before anything is sent.
    void this.printer;
    if (flags.string('discovery-srv') !== '') throw new Fail(Exit.BAD_FEATURE, 'discovery by SRV records is not built');
    const endpoints = other === undefined ? this.endpoints : [other.endpoint];
    if (endpoints.length === 0) throw new Fail(Exit.ERROR, 'etcdclient: no available endpoints');
    const auth = credentials(flags, prefix);
    const tls = tlsOptions(flags, prefix);
    return {
      endpoints,
      dialTimeoutMs: flags.duration('dial-timeout'),
      requestTimeoutMs: this.timeoutMs,
      // grpc-go raises shorter intervals to 10 s.
      keepaliveTimeMs: Math.max(10_000, flags.duration('keepalive-time')),
      keepaliveTimeoutMs: flags.duration('keepalive-timeout'),
      ...(flags.int('max-request-bytes') > 0 ? { maxRequestBytes: flags.int('max-request-bytes') } : {}),
      ...(flags.int('max-recv-bytes') > 0 ? { maxReceiveBytes: flags.int('max-recv-bytes') } : {}),
      ...(auth === null ? {} : { auth }),
      ...(tls === null ? {} : { tls }),
    };
  }
}

function credentials(flags: Flags, prefix: string): { name: string; password: string } | null {
  const user = flags.string(`${prefix}user`);
  if (user === '') return null;
  const given = `${prefix}password`;
  if (flags.changed(given)) return { name: user, password: flags.string(given) };
  const at = user.indexOf(':');
  if (at >= 0) return { name: user.slice(0, at), password: user.slice(at + 1) };
  throw new Fail(Exit.BAD_ARGS, `a password is needed: --${prefix}user name:password or --${given}`);
}

/** @throws Fail with etcdctl's words */
function tlsOptions(flags: Flags, prefix: string): NonNullable<KeelClientOptions['tls']> | null {
  const path = (name: string): string => {
    const given = flags.string(`${prefix}${name}`);
    if (given === '' && prefix === '' && flags.changed(name))
      throw badArgs(`empty string is passed to --${name} option`);
    return given;
  };
  const [certFile, keyFile, caFile] = [path('cert'), path('key'), path('cacert')];
  if ((certFile === '') !== (keyFile === '')) {
    throw badArgs(`KeyFile and CertFile must both be present[key: ${keyFile}, cert: ${certFile}]`);
  }
  try {
    const pair = certFile === '' ? {} : { cert: read(certFile), key: read(keyFile) };
    if (certFile !== '') mustFit(pair);
    const ca = caFile === '' ? {} : { ca: read(caFile) };
    // Then --insecure-skip-tls-verify is for nothing, as with etcdctl.
    if (certFile === '' && caFile === '' && flags.bool(`${prefix}insecure-transport`)) return null;
    return { ...ca, ...pair, insecureSkipVerify: flags.bool('insecure-skip-tls-verify') };
  } catch (err) {
    if (err instanceof TlsError) throw badArgs(err.message);
    throw err;
  }
}

const GRPC_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** An error of the client in etcdctl's words: etcd's own text bare, anything else as a gRPC status. */
export function errorText(err: unknown): string {
  if (!(err instanceof KeelError)) return err instanceof Error ? err.message : String(err);
  if (/^(etcdserver|mvcc|auth|election|mutex): /.test(err.message) || err.message === 'context deadline exceeded') {
    return err.message;
  }
  return statusText(err);
}

/** As Go prints a status. */
export function statusText(err: KeelError): string {
  return `rpc error: code = ${GRPC_NAMES[err.grpcCode] ?? 'Unknown'} desc = ${err.message}`;
}

/** Runs a call; its failure ends the command with `exitCode`. */
export async function orFail<T>(promise: Promise<T>, exitCode: number = Exit.ERROR): Promise<T> {
  try {
    return await promise;
  } catch (err) {
    if (err instanceof Fail) throw err;
    if (err instanceof KeelError) throw new Fail(exitCode, errorText(err));
    throw err;
  }
}
