import { ConfigError } from './server/index.js';

/** Where a listener goes, and how its URL is told to others. */
export type ListenTarget =
  | {
      readonly kind: 'tcp';
      readonly scheme: string;
      readonly secure: boolean;
      readonly host: string;
      readonly port: number;
    }
  | { readonly kind: 'unix'; readonly scheme: string; readonly secure: boolean; readonly path: string };

/**
 * Reads a listen URL (etcd operations §1.2, §2): `http://host:port`, where an empty host is every interface, and
 * `unix://path`; `https` and `unixs` are the same over TLS.
 * @param flag for the message of the error
 * @throws ConfigError
 */
export function parseListenUrl(url: string, flag: string): ListenTarget {
  const unix = /^(unixs?):(?:\/\/)?(.+)$/.exec(url);
  if (unix !== null) {
    const [, scheme, path] = unix as unknown as [string, string, string];
    return { kind: 'unix', scheme, secure: scheme === 'unixs', path };
  }
  const match = /^(\w+):\/\/(\[[0-9a-fA-F:.]+\]|[^/:[\]]*):(\d{1,5})\/?$/.exec(url);
  if (match === null) throw new ConfigError(`--${flag}: ${JSON.stringify(url)} is no URL of the form http://host:port`);
  const [, scheme, host, port] = match as unknown as [string, string, string, string];
  if (scheme !== 'http' && scheme !== 'https')
    throw new ConfigError(`--${flag}: ${JSON.stringify(url)}: the scheme must be http, https or unix`);
  if (Number(port) > 65_535) throw new ConfigError(`--${flag}: ${JSON.stringify(url)}: invalid port ${port}`);
  return { kind: 'tcp', scheme, secure: scheme === 'https', host, port: Number(port) };
}

/**
 * host:port to bind. `localhost` is the IPv4 loopback, as it is to an etcd: Node would take whichever address the
 * machine's table of hosts names first.
 */
export function bindAddress(target: ListenTarget & { kind: 'tcp' }): string {
  return `${target.host === 'localhost' ? '127.0.0.1' : target.host}:${target.port}`;
}

/** Taking a port failed. The message is the one that etcd logs. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(network: 'tcp' | 'unix', address: string, cause: NodeJS.ErrnoException) {
    super(`listen ${network} ${address}: ${REASONS[cause.code ?? ''] ?? cause.message}`, { cause });
    this.code = cause.code ?? 'ERR_LISTEN';
  }
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'bind: address already in use',
  EACCES: 'bind: permission denied',
  EADDRNOTAVAIL: 'bind: cannot assign requested address',
  ENOTFOUND: 'lookup: no such host',
};
