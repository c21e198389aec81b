import { EditableConf, validateClusterConf } from '@quorate/cluster-conf';
import { ConfigError, type Os, type Program, type Task } from '@quorate/kernel';
import { CLUSTER_ACTIONS, type ClusterAction, placeOf } from './cluster-actions.js';
import { CcsComplaint } from './complaint.js';
import type { ConfEdit, ConfListing } from './conf-action.js';
import { DOMAIN_EDITS, DOMAIN_LISTINGS } from './failover-domains.js';
import { FENCE_EDITS, FENCE_LISTINGS } from './fencing.js';
import { NODE_EDITS, NODE_LISTINGS } from './nodes.js';
import { OPTION_LISTINGS } from './option-listings.js';
import { type CcsOptions, readOptions } from './options.js';
import { SERVICE_EDITS, SERVICE_LISTINGS } from './services.js';
import { SETTING_EDITS, SETTING_LISTINGS } from './settings.js';

const ACTIONS: ReadonlyMap<string, ClusterAction> = new Map([...CLUSTER_ACTIONS, ...OPTION_LISTINGS]);

const EDITS: ReadonlyMap<string, ConfEdit> = new Map([
  ...NODE_EDITS,
  ...FENCE_EDITS,
  ...DOMAIN_EDITS,
  ...SERVICE_EDITS,
  ...SETTING_EDITS,
]);

const LISTINGS: ReadonlyMap<string, ConfListing> = new Map([
  ...NODE_LISTINGS,
  ...FENCE_LISTINGS,
  ...DOMAIN_LISTINGS,
  ...SERVICE_LISTINGS,
  ...SETTING_LISTINGS,
]);

/**
 * `ccs [-h HOST | -f FILE] [-i] ACTION…`: shows and changes a cluster.conf, spreads it and has it read, and starts and stops the
 * cluster. It asks ricci of a machine, of this one unless told, or works on a file of this machine.
 *
 * Source: ccs(8) of RHEL 6.
 */
export const ccs: Program = function* (argv, os) {
  try {
    return yield* run(argv, os);
  } catch (error) {
    if (error instanceof ConfigError) os.printError(`${error.message}\n`);
    else if (error instanceof CcsComplaint) os.printError(`${error.message}\n`);
    else throw error;
    return error instanceof CcsComplaint ? error.status : 1;
  }
};

function* run(argv: readonly string[], os: Os): Task<number> {
  if (argv.includes('--help') || argv.length === 1) return help(os);
  const options = readOptions(argv);
  const { action, words } = options;
  const clusterAction = ACTIONS.get(action);
  if (clusterAction !== undefined) return yield* clusterAction(os, options);
  const listing = LISTINGS.get(action);
  const edit = EDITS.get(action);
  if (listing === undefined && edit === undefined) throw new CcsComplaint(`option ${action} not recognized`, 2);
  const place = placeOf(os, options);
  const conf = new EditableConf(yield* place.read(), place.name);
  if (listing !== undefined) {
    for (const line of listing(conf, words)) os.print(`${line}\n`);
    return 0;
  }
  const { text, said } = edited(conf, edit!, options, place.name);
  yield* place.write(text);
  if (said !== undefined) os.print(`${said}\n`);
  return 0;
}

/** Every change is a version of its own. */
function edited(
  before: EditableConf,
  edit: ConfEdit,
  options: CcsOptions,
  file: string,
): { readonly text: string; readonly said: string | undefined } {
  const { conf, said } = edit(before, options.words, options);
  const version = Number(before.root.attributes.get('config_version') ?? 0) + 1;
  const isOwn = options.action === '--setversion';
  const { text } = isOwn ? conf : conf.withAttribute(conf.root, 'config_version', String(version));
  const known = new Set(validateClusterConf(before.text, file).errors.map(withoutPlace));
  const { errors, conflicts } = validateClusterConf(text, file);
  const mistakes = errors.filter((error) => !conflicts.includes(error) && !known.has(withoutPlace(error)));
  if (options.isForced || mistakes.length === 0) return { text, said };
  const reasons = mistakes.map(({ message }) => `${message}\n`).join('');
  throw new CcsComplaint(
    `${reasons}Validation Failure, unable to modify configuration file (use -i to ignore this error).`,
  );
}

/** An element before another one moves it. */
function withoutPlace({ path, value, expected }: ConfigError): string {
  return `${path.replace(/\[\d+\]/g, '')} ${value} ${expected}`;
}

function help(os: Os): number {
  const actions = [...ACTIONS.keys(), ...LISTINGS.keys(), ...EDITS.keys()];
  os.print(`Usage: ccs [-h host | -f file] [-i] [-p password] action [words]\nActions: ${actions.join(' ')}\n`);
  return 0;
}
