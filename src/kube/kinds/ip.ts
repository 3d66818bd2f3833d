/** IP addresses and ranges as numbers. */
import { isIPv4, isIPv6 } from 'node:net';

export const IP_RULE = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

export function isIp(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}

export function ipv4ToNumber(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function numberToIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** Addresses `first` to `last`, both of them usable: without the network's own and the broadcast address. */
export interface IpRange {
  readonly cidr: string;
  readonly first: number;
  readonly last: number;
}

/** @param cidr `10.96.0.0/12`; undefined for what is none. IPv4 only. */
export function parseIpv4Range(cidr: string): IpRange | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(cidr);
  if (match === null || !isIPv4(match[1] as string) || Number(match[2]) > 30) return undefined;
  const size = 2 ** (32 - Number(match[2]));
  const network = Math.floor(ipv4ToNumber(match[1] as string) / size) * size;
  return { cidr: `${numberToIpv4(network)}/${match[2]}`, first: network + 1, last: network + size - 2 };
}

export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0 || !/^\d{1,3}$/.test(text.slice(slash + 1))) return false;
  const bits = Number(text.slice(slash + 1));
  const address = text.slice(0, slash);
  return (isIPv4(address) && bits <= 32) || (isIPv6(address) && bits <= 128);
}
