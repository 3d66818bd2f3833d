import { notFound } from './http.js';
import type { Pages } from './site.js';

/** What is served at --listen-metrics-urls (etcd operations §2), and what else an operator looks at. */
const PATHS = /^\/(?:metrics|health|(?:livez|readyz)(?:\/.*)?|debug\/.*)$/;

/** A site's pages for those who watch the member, and no others. */
export function metricsPagesOf(site: Pages): Pages {
  return {
    handle(exchange) {
      if (PATHS.test(exchange.path)) return site.handle(exchange);
      const { status, headers, body } = notFound();
      exchange.respond(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
      exchange.end(body);
    },
  };
}
