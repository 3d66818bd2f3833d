export { ClientPort, type PortServers, type TlsDoor } from './client-port.js';
export type { ExchangeListener, HttpExchange, HttpHandler, HttpRequest, HttpResponse, Respond } from './http.js';
export { http2Of } from './http2.js';
export { JsonGateway, type JsonGatewayOptions } from './json-gateway.js';
export { metricsPagesOf } from './metrics-site.js';
export { httpServerOf } from './node-http.js';
export { type Pages, Site, type SiteOptions } from './site.js';
