import { ConfigError } from '@quorate/kernel';
import type { ChapSecret } from '../chap/chap.js';

/** What an `iscsi://` URL says. */
export interface IscsiUrl {
  readonly host: string;
  readonly port: number;
  /** Undefined in a URL of a portal only. */
  readonly target: string | undefined;
  readonly lun: number;
  readonly user: ChapSecret | undefined;
}

const FORM = 'iscsi://[user%secret@]host[:port][/target/lun]';

/** Reads a URL in the form of libiscsi: `iscsi://[user%secret@]host[:port]/target/lun`. @throws {ConfigError} */
export function parseIscsiUrl(url: string): IscsiUrl {
  const match = /^iscsi:\/\/(?:([^@%]+)%([^@]+)@)?(\[[^\]]+\]|[^:/]+)(?::(\d{1,5}))?(?:\/([^/]+)\/(\d{1,5})|\/)?$/.exec(
    url,
  );
  if (match === null) throw new ConfigError('url', url, FORM);
  const [, name, secret, host, port = '3260', target, lun = '0'] = match;
  if (Number(port) < 1 || Number(port) > 65_535) throw new ConfigError('url', url, 'a port from 1 to 65535');
  if (Number(lun) > 16_383) throw new ConfigError('url', url, 'a LUN from 0 to 16383');
  return {
    host: host!.replace(/^\[|\]$/g, ''),
    port: Number(port),
    target,
    lun: Number(lun),
    user: name === undefined ? undefined : { name, secret: secret! },
  };
}
