/**
 * Fills Secrets of the type service-account-token, which somebody asks for by making one: a token without an end,
 * bound to the Secret, so that deleting it voids the token. They go with their account. A keeper, until there are
 * controllers. Source: kubernetes service accounts, manually created tokens.
 */
import type { TokenIssuer } from '../authn/token-issuer.js';
import type { ObjectReader } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { KeeperOptions } from '../rest/keeper.js';
import { Keeper } from '../rest/keeper.js';
import type { CachedReader } from './cached-reader.js';

const TYPE = 'kubernetes.io/service-account-token';
const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';
/** As good as no end: a token has to have one. */
const SECONDS = 100 * 365 * 24 * 3600;

export interface TokenSecretsOptions extends KeeperOptions {
  readonly issuer: TokenIssuer;
  /** Of this server. */
  readonly audiences: readonly string[];
  /** PEM: what is found as `ca.crt`. */
  readonly ca: string;
}

export class TokenSecrets {
  readonly #cached: CachedReader;
  readonly #live: ObjectReader;
  readonly #options: TokenSecretsOptions;
  readonly #keeper: Keeper;

  /** @param live asked before a Secret is given up for want of its account */
  constructor(cached: CachedReader, live: ObjectReader, options: TokenSecretsOptions) {
    this.#cached = cached;
    this.#live = live;
    this.#options = options;
    this.#keeper = new Keeper((key) => this.#fill(key), options);
  }

  start(): this {
    const secrets = this.#cached.watched('', 'secrets');
    const accounts = this.#cached.watched('', 'serviceaccounts');
    if (secrets === undefined || accounts === undefined) throw new TypeError('no secrets or service accounts');
    this.#keeper.follow(secrets, (secret, gone) => (gone || !isToken(secret) ? [] : [keyOf(secret)]));
    this.#keeper.follow(accounts, (account) => {
      const { namespace = '', name = '' } = account.metadata;
      return [...secrets.list(namespace)].filter((s) => isToken(s) && accountOf(s) === name).map(keyOf);
    });
    return this;
  }

  stop(): void {
    this.#keeper.stop();
  }

  async #fill(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const secret = await this.#cached.get('', 'secrets', namespace, name);
    if (secret === null || !isToken(secret) || secret.metadata.deletionTimestamp !== undefined) return;
    const account = await this.#live.get('', 'serviceaccounts', namespace, accountOf(secret));
    const uid = secret.metadata.annotations?.[UID];
    // Made for an account that is gone, or for another of its name.
    if (account === null || (uid !== undefined && uid !== account.metadata.uid)) return this.#remove(secret);
    const { data = {} } = secret;
    const wanted: Record<string, string> = {
      'ca.crt': base64(this.#options.ca),
      namespace: base64(namespace),
      token: data.token || base64(await this.#token(secret, account)),
    };
    const whole = Object.entries(wanted).every(([member, value]) => data[member] === value);
    if (whole && uid === account.metadata.uid) return;
    const annotations = { ...secret.metadata.annotations, [UID]: account.metadata.uid ?? '' };
    const object = { ...secret, metadata: { ...secret.metadata, annotations }, data: { ...data, ...wanted } };
    const { resource } = this.#cached.watched('', 'secrets')!;
    await unlessGone(resource.update(this.#keeper.context, namespace, name, object, ''));
  }

  async #token({ metadata }: KubeObject, account: KubeObject): Promise<string> {
    const { issuer, audiences } = this.#options;
    const { token } = await issuer.issue({
      namespace: metadata.namespace ?? '',
      name: account.metadata.name ?? '',
      uid: account.metadata.uid ?? '',
      audiences,
      lifetime: SECONDS,
      bound: { plural: 'secrets', name: metadata.name ?? '', uid: metadata.uid ?? '' },
    });
    return token;
  }

  async #remove({ metadata }: KubeObject): Promise<void> {
    const { resource } = this.#cached.watched('', 'secrets')!;
    const { namespace = '', name = '', uid } = metadata;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await unlessGone(resource.delete(this.#keeper.context, namespace, name, preconditions));
  }
}

function isToken(secret: KubeObject): boolean {
  return secret.type === TYPE && accountOf(secret) !== '';
}

function accountOf({ metadata }: KubeObject): string {
  return metadata.annotations?.[NAME] ?? '';
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 404)) throw error;
  }
}
