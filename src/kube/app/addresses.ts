/** Which addresses and names the server has. */
import { isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { KubeConfigError } from './options.js';

const WILDCARDS = ['0.0.0.0', '::', ''];

/** Address that is told to others. */
export function advertisedAddress(bind: string, given: string | undefined): string {
  if (given !== undefined) return given;
  return WILDCARDS.includes(bind) ? (machineAddresses().find((one) => !one.includes(':')) ?? '127.0.0.1') : bind;
}

/** Where a client of this machine finds it. */
export function localHost(bind: string): string {
  if (bind === '::1') return '[::1]';
  if (WILDCARDS.includes(bind)) return '127.0.0.1';
  return isIPv6(bind) ? `[${bind}]` : bind;
}

/** All that the certificate must be good for. */
export function serverHosts(bind: string, serviceIp: string, more: readonly (string | undefined)[]): string[] {
  const hosts = [
    'localhost',
    '127.0.0.1',
    '::1',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    serviceIp,
    hostname().toLowerCase(),
    ...(WILDCARDS.includes(bind) ? machineAddresses() : [bind]),
    ...more.filter((one): one is string => one !== undefined),
  ];
  return [...new Set(hosts)];
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((one) => !one.internal && !one.address.startsWith('fe80:'))
    .map((one) => one.address);
}

/** The first address of a range that is not the network's own: that of the Service `kubernetes`. @throws KubeConfigError */
export function firstServiceIp(cidr: string): string {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  const parts = match?.slice(1).map(Number) ?? [];
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = parts;
  if (match === null || [a, b, c, d].some((part) => part > 255) || bits > 30 || bits < 8) {
    throw new KubeConfigError(`--service-cluster-ip-range: ${JSON.stringify(cidr)} is no range of IPv4 addresses`);
  }
  const network = ((a << 24) | (b << 16) | (c << 8) | d) & (-1 << (32 - bits));
  const first = (network + 1) >>> 0;
  return [first >>> 24, (first >>> 16) & 255, (first >>> 8) & 255, first & 255].join('.');
}
