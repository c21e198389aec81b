import type { Stamped } from '@quorate/kernel';
import type { AnyFact } from '../../lab.js';

/** Kinds of facts that the picture follows. */
export const PICTURE_KINDS: readonly string[] = [
  'node.state',
  'dlm.master',
  'dlm.master-released',
  'dlm.directory',
  'dlm.lock-granted',
  'dlm.converted',
  'dlm.cast',
  'dlm.started',
  'dlm.stopped',
  'dlm.recovered',
  'dlm.recover-status',
];

/** Who has to do with the resources of a lockspace, as facts tell it. */
export class LockPicture {
  readonly #lockspace: string;
  readonly #masters = new Map<string, number>();
  readonly #directory = new Map<string, number>();
  /** Locks in PW or EX by node and lock id, with their resources. */
  readonly #holders = new Map<string, { readonly node: number; readonly resource: string }>();
  readonly #running = new Set<number>();

  constructor(lockspace: string) {
    this.#lockspace = lockspace;
  }

  /** The node that is the master; undefined when nobody has said so. */
  masterOf(resource: string): number | undefined {
    return this.#masters.get(resource);
  }

  /** The node that was the last to record the master. A master that is also the directory node records nothing. */
  directoryOf(resource: string): number | undefined {
    return this.#directory.get(resource) ?? this.#masters.get(resource);
  }

  /** A node with a PW or EX lock. */
  holderOf(resource: string): number | undefined {
    return [...this.#holders.values()].find((each) => each.resource === resource)?.node;
  }

  /** The lockspace runs there. */
  isRunning(node: number): boolean {
    return this.#running.has(node);
  }

  hear(stamped: Stamped): void {
    const fact = stamped as AnyFact;
    const { kind, node } = fact;
    if (kind === 'node.state') {
      if (fact.state === 'off') this.#off(node);
      return;
    }
    if (fact.lockspace !== this.#lockspace) return;
    const resource = String(fact.resource);
    const lock = `${node} ${String(fact.lkid)}`;
    switch (kind) {
      case 'dlm.master':
        this.#masters.set(resource, node);
        break;
      case 'dlm.master-released':
        if (this.#masters.get(resource) === node) this.#masters.delete(resource);
        break;
      case 'dlm.directory':
        this.#directory.set(resource, node);
        break;
      case 'dlm.lock-granted':
      case 'dlm.converted':
        if (fact.mode === 'PW' || fact.mode === 'EX') this.#holders.set(lock, { node, resource });
        else this.#holders.delete(lock);
        break;
      case 'dlm.cast':
        if (fact.mode === 'IV') this.#holders.delete(lock);
        break;
      case 'dlm.stopped':
        this.#running.delete(node);
        break;
      case 'dlm.recovered':
        this.#running.add(node);
        break;
    }
  }

  #off(node: number): void {
    this.#running.delete(node);
    for (const [lock, holder] of this.#holders) if (holder.node === node) this.#holders.delete(lock);
    for (const known of [this.#masters, this.#directory]) {
      for (const [resource, who] of known) if (who === node) known.delete(resource);
    }
  }
}
