import type { Kinds } from '../../kinds/kind.js';
import { apiVersionOf } from '../../machinery/object.js';
import type { Exchange } from '../exchange.js';
import { respond } from '../respond.js';

const FIXED = [
  '/.well-known/openid-configuration',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v3',
  '/openid/v1/jwks',
  '/readyz',
  '/version',
];

/** `/`: what there is to be asked for. */
export function indexPage(exchange: Exchange, kinds: Kinds): void {
  const paths = new Set(['/api', '/apis', ...FIXED]);
  for (const kind of kinds.all()) {
    paths.add(kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}`);
    if (kind.group !== '') paths.add(`/apis/${apiVersionOf(kind)}`);
  }
  respond(exchange, 200, { paths: [...paths].sort() });
}
