/** IANA's port of iSCSI. */
const ISCSI_PORT = 3260;

/** A portal as it is typed or told. */
export interface Portal {
  readonly address: string;
  readonly port: number;
  readonly tpgt: number | undefined;
}

/** `ADDRESS[:PORT][,TPGT]`; undefined for anything else. */
export function parsePortal(text: string): Portal | undefined {
  const found = /^([^:,\s]+)(?::(\d+))?(?:,(\d+))?$/.exec(text);
  if (found === null) return undefined;
  const [, address = '', port, tpgt] = found;
  return { address, port: Number(port ?? ISCSI_PORT), tpgt: tpgt === undefined ? undefined : Number(tpgt) };
}
