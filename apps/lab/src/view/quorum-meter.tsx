import type { JSX } from 'preact';
import type { LabRun } from '../model/lab-run.js';

/** Votes that a meter without a cluster shows room for. */
const EXPECTED = 9;

/** Votes against the quorum, as the first quorate node reckons them. */
export function QuorumMeter({ run }: { readonly run: LabRun }): JSX.Element {
  const { votes } = run.picture.cluster;
  const expected = votes?.expected ?? EXPECTED;
  const total = votes?.total ?? 0;
  const quorum = votes?.quorum ?? Math.floor(expected / 2) + 1;
  const nodes = total - (votes?.device ?? 0);
  const verdict = votes === undefined ? 'no cluster' : votes.isQuorate ? 'quorate' : 'inquorate';
  return (
    <section class="panel quorum" aria-labelledby="quorum-title">
      <h2 id="quorum-title">Quorum</h2>
      <p class={`verdict verdict-${verdict.replace(' ', '-')}`} data-quorum={verdict}>
        {verdict}
      </p>
      <meter class="unseen" aria-label="votes" min={0} max={expected} low={quorum} value={Math.min(total, expected)}>
        {total} of {expected} votes, {quorum} needed
      </meter>
      <div class="votes" aria-hidden="true">
        {Array.from({ length: expected }, (_, i) => (
          <span
            key={i}
            class={`vote ${i < nodes ? 'vote-node' : i < total ? 'vote-device' : ''} ${i === quorum - 1 ? 'vote-quorum' : ''}`}
          />
        ))}
      </div>
      <p class="votes-text">
        <b>{total}</b> of {expected} votes, {quorum} needed
      </p>
      <p class="votes-legend">
        <span class="key key-node" /> nodes {nodes} <span class="key key-device" /> quorum disk {votes?.device ?? 0}
      </p>
    </section>
  );
}
