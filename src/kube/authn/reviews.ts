/** TokenReview and SelfSubjectReview: who is this, who am I. */
import type { UserInfo } from '../machinery/request.js';
import type { VirtualHandler } from '../rest/virtual.js';
import type { TokenAuthenticator } from './bearer.js';
import { withAuthenticated } from './chain.js';

/** A user as UserInfo messages spell it: what is empty is left out. */
export function userInfoJson({ username, uid, groups, extra }: UserInfo): Record<string, unknown> {
  return {
    username,
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** @param serverAudiences what a token is for if the review does not say */
export function tokenReviewHandler(tokens: TokenAuthenticator, serverAudiences: readonly string[]): VirtualHandler {
  return async (object) => {
    const token: string = object.spec?.token ?? '';
    const asked: readonly string[] = object.spec?.audiences ?? [];
    const audiences = asked.length > 0 ? asked : serverAudiences;
    return { ...object, status: await reviewed(tokens, token, audiences) };
  };
}

async function reviewed(tokens: TokenAuthenticator, token: string, audiences: readonly string[]) {
  try {
    const accepted = token === '' ? null : await tokens.token(token, audiences);
    if (accepted === null) return { authenticated: false, error: 'invalid bearer token' };
    const user = userInfoJson(withAuthenticated(accepted.user));
    return { authenticated: true, user, audiences: [...accepted.audiences] };
  } catch {
    // A refusal is an answer here; why it was refused is no business of the asker.
    return { authenticated: false, error: 'invalid bearer token' };
  }
}

export const selfSubjectReview: VirtualHandler = async (object, { user }) => ({
  ...object,
  status: { userInfo: userInfoJson(user) },
});
