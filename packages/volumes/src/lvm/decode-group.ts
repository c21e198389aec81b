import { FormatError } from '../format-error.js';
import { checkGroup } from './check-group.js';
import { type ConfigNode, ConfigSyntaxError, parseConfig } from './config-text.js';

import { isName } from './names.js';
import { SectionReader } from './section-reader.js';
import { isUuid } from './uuid.js';
import type { LogicalVolume, PhysicalVolume, Segment, Stripe, VolumeGroup } from './volume-group.js';

/** A text of a metadata area, or a file that vgcfgbackup wrote. */
export interface MetadataText {
  readonly group: VolumeGroup;
  /** What was done when it was written; empty in a metadata area of RHEL 6. */
  readonly description: string;
  /** Where and when it was written. */
  readonly creationHost: string;
  /** Seconds since 1970. */
  readonly creationTime: number;
}

/** What the text is called by `contents` and `version`. */
export const CONTENTS = 'Text Format Volume Group';
export const CONTENTS_VERSION = 1;

const ENVELOPE = new Set(['contents', 'version', 'description', 'creation_host', 'creation_time']);

/**
 * Reads the text of a volume group and checks it (`checkGroup`).
 *
 * `offsetOf` gives the place of a character of the text in bytes on its device, for the errors; by default its index.
 *
 * @throws {FormatError} `metadata text`: with the place of a syntax error, or the path of a key that is missing, of
 * another type than expected, or contradicts another one.
 * Source: LVM2 lib/format_text/import_vsn1.c.
 */
export function decodeMetadataText(text: string, offsetOf: (index: number) => number = (index) => index): MetadataText {
  const fail = (why: string) => new FormatError('metadata text', offsetOf(0), why);
  const nodes = parse(text, offsetOf);
  const envelope = new SectionReader('', '', nodes, fail);
  const contents = envelope.text('contents');
  const version = envelope.count('version');
  if (contents !== CONTENTS || version !== CONTENTS_VERSION) {
    throw fail(`contents "${contents.slice(0, 40)}" version ${version}, expected "${CONTENTS}" version 1`);
  }
  const sections = nodes.filter((node): node is ConfigNode & { nodes: readonly ConfigNode[] } => 'nodes' in node);
  const [section] = sections.filter(({ key }) => !ENVELOPE.has(key));
  if (section === undefined || sections.length > 1) {
    throw fail(`${sections.length} sections, expected one: the volume group`);
  }
  const group = decodeGroup(new SectionReader('', section.key, section.nodes, fail));
  const [wrong] = checkGroup(group);
  if (wrong !== undefined) throw fail(`${group.name}: ${wrong}`);
  return {
    group,
    description: envelope.optionalText('description') ?? '',
    creationHost: envelope.optionalText('creation_host') ?? '',
    creationTime: envelope.count('creation_time', 0),
  };
}

function parse(text: string, offsetOf: (index: number) => number): readonly ConfigNode[] {
  try {
    return parseConfig(text);
  } catch (error) {
    if (!(error instanceof ConfigSyntaxError)) throw error;
    throw new FormatError('metadata text', offsetOf(error.index), error.message);
  }
}

function decodeGroup(reader: SectionReader): VolumeGroup {
  const format = reader.optionalText('format') ?? 'lvm2';
  if (format !== 'lvm2') throw reader.fail(`format "${format.slice(0, 40)}", expected "lvm2"`);
  const physicalVolumes = reader.section('physical_volumes').children().map(decodePhysicalVolume);
  const logicalVolumes = reader.sections('logical_volumes').map(decodeLogicalVolume);
  // Written always as 0 by versions that have it, and read by none.
  reader.count('metadata_copies', 0);
  const group = {
    name: nameOf(reader),
    id: uuidOf(reader),
    seqno: reader.count('seqno'),
    ...states(reader),
    extentSize: reader.count('extent_size'),
    maxLv: reader.count('max_lv', 0),
    maxPv: reader.count('max_pv', 0),
    physicalVolumes,
    logicalVolumes,
  };
  return { ...group, other: reader.rest() };
}

function decodePhysicalVolume(reader: SectionReader): PhysicalVolume {
  const physicalVolume = {
    key: nameOf(reader),
    id: uuidOf(reader),
    device: reader.optionalText('device') ?? '',
    ...states(reader),
    devSize: reader.count('dev_size', 0),
    peStart: reader.count('pe_start'),
    peCount: reader.count('pe_count'),
  };
  return { ...physicalVolume, other: reader.rest() };
}

function decodeLogicalVolume(reader: SectionReader): LogicalVolume {
  const count = reader.count('segment_count');
  if (count > 1_000_000) throw reader.fail(`segment_count ${count}, expected at most 1000000`);
  const segments: Segment[] = [];
  for (let i = 1; i <= count; i++) segments.push(decodeSegment(reader.section(`segment${i}`)));
  segments.sort((a, b) => a.startExtent - b.startExtent);
  const creationTime = reader.optionalCount('creation_time');
  const creationHost = reader.optionalText('creation_host');
  const volume = {
    name: nameOf(reader),
    id: uuidOf(reader),
    ...states(reader),
    ...(creationTime === undefined ? {} : { creationTime }),
    ...(creationHost === undefined ? {} : { creationHost }),
    segments,
  };
  return { ...volume, other: reader.rest() };
}

function decodeSegment(reader: SectionReader): Segment {
  const type = reader.text('type');
  const range = { startExtent: reader.count('start_extent'), extentCount: reader.count('extent_count'), type };
  if (type !== 'striped') return { ...range, stripes: [], other: reader.rest() };
  const stripes = decodeStripes(reader, reader.count('stripe_count'));
  return { ...range, stripes, other: reader.rest() };
}

function decodeStripes(reader: SectionReader, count: number): readonly Stripe[] {
  const values = reader.array('stripes');
  if (values.length !== 2 * count) throw reader.fail(`${values.length} values in stripes, expected ${2 * count}`);
  const stripes: Stripe[] = [];
  for (let i = 0; i < values.length; i += 2) {
    const [on, extent] = [values[i], values[i + 1]];
    if (typeof on !== 'string' || typeof extent !== 'number' || !(Number.isSafeInteger(extent) && extent >= 0)) {
      throw reader.fail(`stripe ${i / 2} is not the name of a volume and an extent of it`);
    }
    stripes.push({ on, extent });
  }
  return stripes;
}

/** Names become paths under /dev, so none is taken that LVM would not make. */
function nameOf(reader: SectionReader): string {
  if (isName(reader.key)) return reader.key;
  throw reader.fail('the name is invalid, expected A-Z a-z 0-9 + _ . - only, and no hyphen first');
}

function uuidOf(reader: SectionReader): string {
  const id = reader.text('id');
  if (!isUuid(id)) throw reader.fail(`id "${id.slice(0, 40)}", expected 32 characters with dashes, as 6-4-4-4-4-4-6`);
  return id;
}

function states(reader: SectionReader): Pick<VolumeGroup, 'status' | 'flags' | 'tags'> {
  return { status: reader.texts('status'), flags: reader.texts('flags'), tags: reader.texts('tags') };
}
