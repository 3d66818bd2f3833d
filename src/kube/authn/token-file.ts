/** Static tokens: a CSV file of `token,user,uid,"group1,group2"`, read once. */
import { createHash } from 'node:crypto';
import type { UserInfo } from '../machinery/request.js';
import type { TokenAuthenticator, TokenUser } from './bearer.js';

export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
  readonly code = 'ERR_TOKEN_FILE';
}

export class TokenFile implements TokenAuthenticator {
  /** By the token's digest, so that a look-up tells nothing of a token by its time. */
  readonly #users = new Map<string, UserInfo>();

  /** @param name of the file, for messages. @throws TokenFileError */
  constructor(text: string, name = 'token file') {
    for (const [index, record] of parseCsv(text, name).entries()) {
      if (record.length < 3) {
        throw new TokenFileError(
          `${name} must have at least 3 columns (token, user name, user uid), found ${record.length} in record ${index + 1}`,
        );
      }
      const [token = '', username = '', uid = '', groups = ''] = record.map((field) => field.trim());
      if (token === '') continue;
      if (username === '') throw new TokenFileError(`${name}: record ${index + 1} has no user name`);
      const list = groups === '' ? [] : groups.split(',').map((group) => group.trim());
      this.#users.set(digest(token), { username, uid, groups: list, extra: {} });
    }
  }

  async token(token: string, audiences: readonly string[]): Promise<TokenUser | null> {
    const user = this.#users.get(digest(token));
    return user === undefined ? null : { user, audiences };
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

/** Records of a CSV text (RFC 4180); lines that begin with # and empty ones are none. */
function parseCsv(text: string, name: string): string[][] {
  const records: string[][] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fields: string[] = [];
    let at = 0;
    while (at <= line.length) {
      const field = /^\s*"((?:[^"]|"")*)"\s*(?:,|$)/.exec(line.slice(at)) ?? /^([^",]*)(?:,|$)/.exec(line.slice(at));
      if (field === null) throw new TokenFileError(`${name}: a quote out of place in ${fields.length + 1}. field`);
      fields.push(field[1]!.replaceAll('""', '"'));
      at += field[0].length;
      if (!field[0].endsWith(',')) break;
      if (at === line.length) {
        fields.push('');
        break;
      }
    }
    records.push(fields);
  }
  return records;
}
