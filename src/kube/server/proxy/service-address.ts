/** Where a Service can be reached: one of its ready endpoints. Sources: core/v1 Service, discovery/v1 EndpointSlice. */
import type { ObjectReader } from '../../kinds/kind.js';
import { ApiError, notFound } from '../../machinery/api-error.js';
import type { KubeObject } from '../../machinery/object.js';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The Service's port says that it speaks TLS. */
  readonly secure: boolean;
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
}

const SERVICES = { group: '', plural: 'services' };

/** @param port name or number; empty for the only one @throws ApiError 404, 503 */
export async function serviceAddress(
  objects: ObjectReader,
  namespace: string,
  name: string,
  port: string,
): Promise<Address> {
  const service = await objects.get('', 'services', namespace, name);
  if (service === null) throw notFound(SERVICES, name);
  const wanted = portOf(service, port);
  if (wanted === undefined) {
    throw unavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  }
  const secure = /https/i.test(wanted.appProtocol ?? '') || wanted.port === 443 || wanted.name === 'https';
  if (service.spec?.type === 'ExternalName') return { host: service.spec.externalName, port: wanted.port, secure };
  const found =
    (await fromSlices(objects, namespace, name, wanted)) ?? (await fromEndpoints(objects, namespace, name, wanted));
  if (found === undefined) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return { ...found, secure };
}

function portOf(service: KubeObject, port: string): ServicePort | undefined {
  const ports: readonly ServicePort[] = service.spec?.ports ?? [];
  if (port === '') return ports.length === 1 ? ports[0] : undefined;
  return ports.find((one) => one.name === port) ?? ports.find((one) => String(one.port) === port);
}

type Found = { readonly host: string; readonly port: number } | undefined;

async function fromSlices(objects: ObjectReader, namespace: string, name: string, wanted: ServicePort): Promise<Found> {
  const slices = await objects.list('discovery.k8s.io', 'endpointslices', namespace);
  const all: { host: string; port: number }[] = [];
  for (const slice of slices) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const port = (slice.ports ?? []).find((one: { name?: string }) => (one.name ?? '') === (wanted.name ?? ''))?.port;
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false || port === undefined) continue;
      for (const host of endpoint.addresses ?? []) all.push({ host, port });
    }
  }
  return all[Math.floor(Math.random() * all.length)];
}

async function fromEndpoints(
  objects: ObjectReader,
  namespace: string,
  name: string,
  wanted: ServicePort,
): Promise<Found> {
  const endpoints = await objects.get('', 'endpoints', namespace, name);
  const all: { host: string; port: number }[] = [];
  for (const subset of endpoints?.subsets ?? []) {
    const port = (subset.ports ?? []).find((one: { name?: string }) => (one.name ?? '') === (wanted.name ?? ''))?.port;
    if (port === undefined) continue;
    for (const { ip } of subset.addresses ?? []) all.push({ host: ip, port });
  }
  return all[Math.floor(Math.random() * all.length)];
}

function unavailable(message: string): ApiError {
  return new ApiError(503, 'ServiceUnavailable', message, {});
}
