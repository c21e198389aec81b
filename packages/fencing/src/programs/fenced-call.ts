import { type Errno, isErrno, type Os, type Task } from '@quorate/kernel';
import type { FenceDomain } from '../fence-domain.js';

/** What the tools ask the fenced of their machine: `os.call('fenced', request)`. */
export type FencedCall =
  /** Reply: `FenceDomain`, or undefined outside of a domain. */
  | { readonly kind: 'domain' }
  /** Reply: undefined once fenced has taken it; `EEXIST` in a domain, `EINVAL` outside of one. */
  | { readonly kind: 'join' }
  | { readonly kind: 'leave' }
  /** That node, by its name, was fenced by hand. Reply: undefined, `EINVAL` for an unknown name or outside of a domain. */
  | { readonly kind: 'external'; readonly node: string }
  /** Reply: what it has noted, oldest first; `fence_tool dump` prints it. */
  | { readonly kind: 'dump' }
  /** An administrator says that this node is dead. Reply: whether fenced was listening just now. */
  | { readonly kind: 'override'; readonly node: string };

export interface FencedReplies {
  readonly domain: FenceDomain | undefined;
  readonly join: undefined;
  readonly leave: undefined;
  readonly external: undefined;
  readonly dump: string;
  readonly override: boolean;
}

/** Asks fenced; `ECONNREFUSED` when it does not run. */
export function* callFenced<Kind extends FencedCall['kind']>(
  os: Os,
  request: FencedCall & { readonly kind: Kind },
): Task<FencedReplies[Kind] | Errno> {
  return (yield* os.call('fenced', request)) as FencedReplies[Kind] | Errno;
}

/** The domain that this machine's fenced is in; undefined when it is in none or does not run. */
export function* fenceDomain(os: Os): Task<FenceDomain | undefined> {
  const domain = yield* callFenced(os, { kind: 'domain' });
  return isErrno(domain) ? undefined : domain;
}
