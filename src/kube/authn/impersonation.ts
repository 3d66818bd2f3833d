/** Acting as somebody else: `kubectl --as`. Source: kubernetes authentication, user impersonation. */
import type { Authorizer } from '../authz/authorizer.js';
import { mustBeAllowed } from '../authz/forbidden.js';
import { internalError } from '../machinery/api-error.js';
import type { Attributes, UserInfo } from '../machinery/request.js';
import { ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED } from './chain.js';
import type { Headers } from './headers.js';
import { firstOf, prefixed, valuesOf } from './headers.js';
import { serviceAccountGroups, serviceAccountOf } from './service-account.js';

const AUTHENTICATION_GROUP = 'authentication.k8s.io';

/**
 * The user that the request is to be treated as: `user` itself without Impersonate headers.
 * @throws ApiError 403 if `user` may not impersonate each part of it
 */
export async function impersonate(user: UserInfo, headers: Headers, authorizer: Authorizer): Promise<UserInfo> {
  const username = firstOf(headers, 'impersonate-user');
  const uid = firstOf(headers, 'impersonate-uid');
  const asked = valuesOf(headers, 'impersonate-group');
  const extra = prefixed(headers, 'impersonate-extra-');
  if (username === '') {
    if (uid === '' && asked.length === 0 && Object.keys(extra).length === 0) return user;
    throw internalError(`requested [${[...asked, uid].join(' ').trim()}] without impersonating a user`);
  }
  const may = (what: Partial<Attributes>) => mustBeAllowed(authorizer, attributesOf(user, what));
  const account = serviceAccountOf(username);
  if (account === null) await may({ resource: 'users', name: username });
  else await may({ resource: 'serviceaccounts', namespace: account.namespace, name: account.name });
  for (const group of asked) await may({ resource: 'groups', name: group });
  for (const [key, values] of Object.entries(extra)) {
    for (const name of values) {
      await may({ group: AUTHENTICATION_GROUP, version: 'v1', resource: 'userextras', subresource: key, name });
    }
  }
  if (uid !== '') await may({ group: AUTHENTICATION_GROUP, version: 'v1', resource: 'uids', name: uid });
  const groups = asked.length > 0 || account === null ? [...asked] : serviceAccountGroups(account.namespace);
  const general = username === ANONYMOUS ? UNAUTHENTICATED : AUTHENTICATED;
  if (!groups.includes(AUTHENTICATED) && !groups.includes(UNAUTHENTICATED)) groups.push(general);
  return { username, uid, groups, extra };
}

function attributesOf(user: UserInfo, what: Partial<Attributes>): Attributes {
  return {
    user,
    verb: 'impersonate',
    isResource: true,
    group: '',
    version: 'v1',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    path: '',
    ...what,
  };
}
