export { AuthStore } from './auth-store.js';
export type { AuthRows } from './auth-tables.js';
export { JwtTokens } from './jwt.js';
export { LoginLimiter } from './login-limiter.js';
export { makeTokens } from './make-tokens.js';
export { SimpleTokens } from './simple-tokens.js';
export type { TokenOptions } from './token-options.js';
export type { AuthRefusal, Identity, TokenEvents, TokenProvider } from './types.js';
export { NOBODY, ROOT } from './types.js';
