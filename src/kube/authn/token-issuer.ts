/** Tokens of service accounts: their claims, and making them. Source: kubernetes bound service-account tokens. */
import { randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { ServiceAccountName } from './service-account.js';
import { serviceAccountUsername } from './service-account.js';
import type { TokenKeys } from './token-keys.js';

export const DEFAULT_ISSUER = 'https://kubernetes.default.svc';

export interface NamedUid {
  readonly name: string;
  readonly uid: string;
}

/** What a token is bound to besides its account: it dies with it. */
export interface BoundObject extends NamedUid {
  readonly plural: 'pods' | 'secrets' | 'nodes';
}

/** The private claim `kubernetes.io`. */
export interface KubernetesClaim {
  readonly namespace: string;
  readonly serviceaccount: NamedUid;
  readonly pod?: NamedUid;
  readonly secret?: NamedUid;
  readonly node?: NamedUid;
  /** Seconds of the epoch: older than this it works still, but should have been renewed. */
  readonly warnafter?: number;
}

export interface IssueOptions extends ServiceAccountName {
  readonly uid: string;
  readonly audiences: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
  /** It works on for so long although it should have been renewed after `lifetime`. Seconds, more than lifetime. */
  readonly graceLifetime?: number;
  readonly bound?: BoundObject | undefined;
  /** Where the bound pod runs. */
  readonly node?: NamedUid | undefined;
}

const CLAIM_OF = { pods: 'pod', secrets: 'secret', nodes: 'node' } as const;

export class TokenIssuer {
  readonly issuer: string;
  readonly #keys: TokenKeys;
  readonly #now: () => number;

  /** @param now ms of the epoch */
  constructor(keys: TokenKeys, issuer: string = DEFAULT_ISSUER, now: () => number = Date.now) {
    this.#keys = keys;
    this.issuer = issuer;
    this.#now = now;
  }

  async issue(options: IssueOptions): Promise<{ token: string; expires: number }> {
    const now = Math.floor(this.#now() / 1000);
    const { namespace, name, uid, lifetime, graceLifetime, bound, node } = options;
    const kubernetes: KubernetesClaim = {
      namespace,
      ...(node === undefined ? {} : { node }),
      ...(bound === undefined ? {} : { [CLAIM_OF[bound.plural]]: { name: bound.name, uid: bound.uid } }),
      serviceaccount: { name, uid },
      ...(graceLifetime === undefined ? {} : { warnafter: now + lifetime }),
    };
    const payload: JWTPayload = {
      aud: [...options.audiences],
      exp: now + (graceLifetime ?? lifetime),
      iat: now,
      iss: this.issuer,
      jti: randomUUID(),
      'kubernetes.io': kubernetes,
      nbf: now,
      sub: serviceAccountUsername({ namespace, name }),
    };
    return { token: await this.#keys.sign(payload), expires: (now + lifetime) * 1000 };
  }
}
