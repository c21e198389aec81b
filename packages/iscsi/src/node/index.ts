export { IscsiServer, type IscsiServerOptions } from './iscsi-server.js';
