/** `serviceaccounts/token`: a token for an account that its asker may act as. */
import type { ObjectReader } from '../kinds/kind.js';
import { badRequest, conflict, notFound } from '../machinery/api-error.js';
import type { FieldError } from '../machinery/field-error.js';
import { invalid, invalidObject } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import { parseApiVersion } from '../machinery/object.js';
import type { VirtualHandler, VirtualRequest } from '../rest/virtual.js';
import type { BoundObject, NamedUid, TokenIssuer } from './token-issuer.js';

const GROUP = 'authentication.k8s.io';
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const DEFAULT_SECONDS = 3600;
/**
 * What pods ask for (admission's token volume). Programs that read the file but once would fail after it, so for this
 * lifetime the token works on for a year, and says from when on it is too old.
 */
const POD_SECONDS = 3607;
const YEAR_SECONDS = 365 * 24 * 3600;

export interface TokenRequestOptions {
  readonly issuer: TokenIssuer;
  readonly objects: ObjectReader;
  /** Of this server: what a token is for if nothing is said. */
  readonly audiences: readonly string[];
  readonly now?: () => number;
}

interface BoundObjectReference {
  kind?: string;
  apiVersion?: string;
  name?: string;
  uid?: string;
}

export function tokenRequestHandler({
  issuer,
  objects,
  audiences,
  now = Date.now,
}: TokenRequestOptions): VirtualHandler {
  return async (object, request) => {
    const account = await objects.get('', 'serviceaccounts', request.namespace, request.name);
    if (account === null) throw notFound({ group: '', plural: 'serviceaccounts' }, request.name);
    mustFit(object, request);
    const spec = object.spec ?? {};
    const seconds: number = spec.expirationSeconds ?? DEFAULT_SECONDS;
    const errors = lifetimeErrors(seconds);
    if (errors.length > 0) throw invalidObject(GROUP, 'TokenRequest', object.metadata?.name ?? '', errors);
    const meant: readonly string[] = (spec.audiences ?? []).length > 0 ? spec.audiences : audiences;
    const reference: BoundObjectReference | undefined = spec.boundObjectRef ?? undefined;
    const { bound, node } = reference === undefined ? {} : await boundTo(reference, request, objects);
    const forServer = meant.every((audience) => audiences.includes(audience));
    const { token, expires } = await issuer.issue({
      namespace: request.namespace,
      name: request.name,
      uid: account.metadata.uid ?? '',
      audiences: meant,
      lifetime: seconds,
      bound,
      node,
      ...(seconds === POD_SECONDS && bound?.plural === 'pods' && forServer ? { graceLifetime: YEAR_SECONDS } : {}),
    });
    return {
      ...object,
      metadata: {
        ...object.metadata,
        name: request.name,
        namespace: request.namespace,
        creationTimestamp: new Date(now()).toISOString().replace(/\.\d+Z$/, 'Z'),
      },
      spec: { ...spec, audiences: [...meant], expirationSeconds: seconds },
      status: { token, expirationTimestamp: new Date(expires).toISOString().replace(/\.\d+Z$/, 'Z') },
    };
  };
}

function mustFit({ metadata }: KubeObject, { name, namespace }: VirtualRequest): void {
  if (metadata?.name && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (metadata?.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

function lifetimeErrors(seconds: number): FieldError[] {
  const field = 'spec.expirationSeconds';
  if (seconds < MIN_SECONDS) return [invalid(field, seconds, 'may not specify a duration less than 10 minutes')];
  if (seconds > MAX_SECONDS) return [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')];
  return [];
}

const BINDABLE: Readonly<Record<string, BoundObject['plural']>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

async function boundTo(
  reference: BoundObjectReference,
  { namespace, name: account }: VirtualRequest,
  objects: ObjectReader,
): Promise<{ bound: BoundObject; node?: NamedUid | undefined }> {
  const { group, version } = parseApiVersion(reference.apiVersion ?? '');
  const { kind = '', name = '', uid = '' } = reference;
  const plural = group === '' && version === 'v1' ? BINDABLE[kind] : undefined;
  if (plural === undefined) throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  const resource = { group: '', plural };
  const object = await objects.get('', plural, plural === 'nodes' ? '' : namespace, name);
  if (object === null) throw notFound(resource, name);
  const actual = object.metadata.uid ?? '';
  if (uid !== '' && uid !== actual) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(resource, name, why);
  }
  const bound: BoundObject = { plural, name, uid: actual };
  if (plural !== 'pods') return { bound };
  if ((object.spec?.serviceAccountName ?? '') !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    );
  }
  const nodeName: string = object.spec?.nodeName ?? '';
  const node = nodeName === '' ? null : await objects.get('', 'nodes', '', nodeName);
  return { bound, node: node === null ? undefined : { name: nodeName, uid: node.metadata.uid ?? '' } };
}
