import { ConfigError, type Nanos, type Observe, type World } from '@quorate/kernel';
import {
  type Impairment,
  type LogicalUnitConfig,
  portName,
  type ScsiFact,
  ScsiTarget,
  type TargetOutput,
} from '@quorate/scsi';
import type { ChapSecret } from '../chap/chap.js';
import type { LoginTarget } from '../login/target-login.js';
import type { Session } from './session.js';

/** Initiator ports that left and are still known, so that they hear of their loss when they come back. */
const KEPT_PORTS = 256;

export interface TargetNodeConfig {
  /** iSCSI name: `iqn.2024-01.lab:disks`. */
  readonly name: string;
  /** TargetAlias, for people. */
  readonly alias?: string;
  /** Portal group tag and relative target port, default 1. */
  readonly portalGroupTag?: number;
  readonly logicalUnits: readonly LogicalUnitConfig[];
  /** Initiators that may log in, by iSCSI name; everybody when left out. */
  readonly initiators?: readonly string[];
  /** CHAP names and secrets of initiators; nobody is asked for one when left out. */
  readonly users?: readonly ChapSecret[];
  /** What the target proves itself with to an initiator that asks for it. */
  readonly mutual?: ChapSecret;
  readonly observe?: Observe<ScsiFact>;
}

/** One target: its SCSI device, and who is logged in to it. */
export class TargetNode implements LoginTarget {
  readonly name: string;
  readonly alias?: string;
  readonly portalGroupTag: number;
  readonly users: readonly ChapSecret[];
  readonly mutual?: ChapSecret;
  readonly scsi: ScsiTarget;
  /** Sessions by nexus. */
  readonly sessions: Map<number, Session> = new Map();
  readonly #initiators: ReadonlySet<string> | undefined;
  readonly #blockLengths: ReadonlyMap<number, number>;
  /** Numbers of nexuses by initiator port. */
  readonly #nexuses = new Map<string, number>();
  /** Ports without a session by nexus, those that left first in front. */
  readonly #left = new Map<number, string>();
  /** By the iSCSI names of initiators, for those that log in later. */
  readonly #impairments = new Map<string, Partial<Impairment>>();
  #lastNexus = 0;

  /** @throws {ConfigError} for a name that is no iSCSI name, a portal group tag out of range, or a wrong logical unit. */
  constructor(config: TargetNodeConfig, world: World) {
    const portalGroupTag = config.portalGroupTag ?? 1;
    if (!/^(?:iqn\.|eui\.|naa\.)[\x21-\x7e]{1,219}$/.test(config.name)) {
      throw new ConfigError('/targets/name', config.name, 'an iSCSI name: iqn.2024-01.example:disk');
    }
    if (!(portalGroupTag >= 1 && portalGroupTag <= 0xffff)) {
      throw new ConfigError(`/targets/${config.name}/portalGroupTag`, `${portalGroupTag}`, '1 to 65535');
    }
    this.name = config.name;
    if (config.alias !== undefined) this.alias = config.alias;
    this.portalGroupTag = portalGroupTag;
    this.users = config.users ?? [];
    if (config.mutual !== undefined) this.mutual = config.mutual;
    this.#initiators = config.initiators === undefined ? undefined : new Set(config.initiators);
    this.#blockLengths = new Map(config.logicalUnits.map((unit) => [unit.lun, unit.store.blockLength]));
    this.scsi = new ScsiTarget({
      name: config.name,
      relativePort: portalGroupTag,
      logicalUnits: config.logicalUnits,
      world,
      ...(config.observe === undefined ? undefined : { observe: config.observe }),
    });
  }

  isAllowed(initiator: string): boolean {
    return this.#initiators === undefined || this.#initiators.has(initiator);
  }

  /** Bytes per block of a unit; 512 for one that is not there. */
  blockLengthOf(lun: number): number {
    return this.#blockLengths.get(lun) ?? 512;
  }

  /** The number of an initiator port's nexus: the same each time it comes, unless it was forgotten meanwhile. */
  nexusOf(initiator: string, isid: string): number {
    const port = portName({ name: initiator, isid });
    let nexus = this.#nexuses.get(port);
    if (nexus === undefined) {
      this.#lastNexus += 1;
      nexus = this.#lastNexus;
      this.#nexuses.set(port, nexus);
    }
    return nexus;
  }

  enter(now: Nanos, session: Session, emit: (output: TargetOutput) => void): void {
    this.sessions.set(session.nexus, session);
    this.#left.delete(session.nexus);
    const port = { name: session.initiator, isid: session.isid };
    const impairment = this.#impairments.get(session.initiator);
    if (impairment !== undefined) this.#impair(now, session.nexus, impairment);
    this.scsi.step(now, { kind: 'login', nexus: session.nexus, port }, emit);
  }

  /** All nexuses of that initiator, those to come too, are served so badly. */
  impair(now: Nanos, initiator: string, impairment: Partial<Impairment>): void {
    this.#impairments.set(initiator, impairment);
    for (const session of this.sessions.values()) {
      if (session.initiator === initiator) this.#impair(now, session.nexus, impairment);
    }
  }

  #impair(now: Nanos, nexus: number, impairment: Partial<Impairment>): void {
    this.scsi.step(now, { kind: 'impair', nexus, impairment }, () => {});
  }

  leave(now: Nanos, session: Session, isOrderly: boolean, emit: (output: TargetOutput) => void): void {
    this.sessions.delete(session.nexus);
    const { nexus } = session;
    if (isOrderly) this.scsi.step(now, { kind: 'logout', nexus }, emit);
    else this.scsi.step(now, { kind: 'nexus-lost', nexus, isNoticed: true }, emit);
    this.#left.set(nexus, portName({ name: session.initiator, isid: session.isid }));
    if (this.#left.size > KEPT_PORTS) this.#forgetOldest(now);
  }

  /** Initiators draw a new isid for each session: without this their ports would pile up. One with a registration stays. */
  #forgetOldest(now: Nanos): void {
    const [nexus, port] = this.#left.entries().next().value!;
    this.#left.delete(nexus);
    this.scsi.step(now, { kind: 'forget', nexus }, (output) => {
      if (output.kind === 'forgotten') this.#nexuses.delete(port);
    });
  }
}
