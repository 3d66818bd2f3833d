export { ClientPort, type PortServers } from './client-port.js';
export type { HttpHandler, HttpRequest, HttpResponse, Respond } from './http.js';
export { httpServerOf } from './node-http.js';
export { Site, type SiteOptions } from './site.js';
