export { type MessagePortLike, PortHost, type PortHostConfig } from './port-host.js';
