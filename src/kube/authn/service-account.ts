/** Names and groups of service accounts as users. */
const PREFIX = 'system:serviceaccount:';

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

export function serviceAccountUsername({ namespace, name }: ServiceAccountName): string {
  return `${PREFIX}${namespace}:${name}`;
}

/** Null if the user is none. */
export function serviceAccountOf(username: string): ServiceAccountName | null {
  if (!username.startsWith(PREFIX)) return null;
  const [namespace = '', name = '', ...more] = username.slice(PREFIX.length).split(':');
  return namespace === '' || name === '' || more.length > 0 ? null : { namespace, name };
}

export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}
