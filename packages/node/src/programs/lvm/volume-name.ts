/** The names in `GROUP/VOLUME` or `/dev/GROUP/VOLUME`; undefined for anything else. */
export function volumeName(text = ''): { readonly group: string; readonly name: string } | undefined {
  const [, group, name] = /^(?:\/dev\/)?([^/]+)\/([^/]+)$/.exec(text) ?? [];
  return group === undefined || name === undefined ? undefined : { group, name };
}
