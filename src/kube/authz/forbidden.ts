/** The 403 of a request that its user may not make. */
import { ApiError, forbidden } from '../machinery/api-error.js';
import type { Attributes } from '../machinery/request.js';
import type { Authorizer } from './authorizer.js';

/** @param reason of the Decision; empty for none */
export function forbiddenFor(attributes: Attributes, reason: string): ApiError {
  const who = `User ${JSON.stringify(attributes.user.username)} cannot ${attributes.verb}`;
  const because = reason === '' ? '' : `: ${reason}`;
  if (!attributes.isResource) {
    const message = `forbidden: ${who} path ${JSON.stringify(attributes.path)}${because}`;
    return new ApiError(403, 'Forbidden', message, {});
  }
  const { group, resource, subresource, namespace } = attributes;
  const what = JSON.stringify(subresource === '' ? resource : `${resource}/${subresource}`);
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const why = `${who} resource ${what} in API group ${JSON.stringify(group)} ${where}${because}`;
  return forbidden({ group, plural: resource }, attributes.name, why);
}

/** @throws ApiError 403; 503 while the authorizer does not know yet */
export async function mustBeAllowed(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  const { allowed, reason } = await authorizer.authorize(attributes);
  if (!allowed) throw forbiddenFor(attributes, reason);
}
