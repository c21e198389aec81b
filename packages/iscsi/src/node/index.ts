export {
  type ConnectOptions,
  connectIscsi,
  discoverIscsi,
  type IscsiDisk,
  type ScsiResult,
  ScsiStatusError,
} from './connect-iscsi.js';
export { IscsiError } from './iscsi-error.js';
export { IscsiServer, type IscsiServerOptions, type StreamTap } from './iscsi-server.js';
export { type IscsiUrl, parseIscsiUrl } from './iscsi-url.js';
