import type { JSX } from 'preact';
import type { LabRun } from '../model/lab-run.js';

/** The two shared disks: registrations and reservation of one, the status blocks of the other. */
export function DisksView({ run }: { readonly run: LabRun }): JSX.Element {
  const { disk, cluster, daemons } = run.picture;
  const machines = [...cluster.machines];
  const nameOf = (node: number): string => run.names[node - 1] ?? `node ${node}`;
  return (
    <section class="panel disks" aria-labelledby="disks-title">
      <h2 id="disks-title">Shared disks</h2>
      <div class="disk">
        <h3>
          <span class="disk-path">/dev/sdb</span> registrations, GFS2
        </h3>
        <ol class="keys">
          {machines.map(([id, { name, isMounted }]) => {
            const key = disk.registrations.find(({ nexus }) => nexus === id)?.key;
            const loss = disk.preempted.find(({ victim }) => victim === id);
            const state = key !== undefined ? 'registered' : loss !== undefined ? 'preempted' : 'none';
            return (
              <li key={id} class={`key-slot key-${state}`} data-key-of={name}>
                <span class="key-name">{name}</span>
                <span class="key-value">{key === undefined ? '–' : `0x${key}`}</span>
                <span class="key-note">
                  {loss !== undefined ? `preempted by ${nameOf(loss.by)}` : disk.holder === id ? 'holder' : ''}
                  {loss === undefined && disk.holder !== id && isMounted ? 'mounted' : ''}
                </span>
              </li>
            );
          })}
        </ol>
        <p class="reservation" data-holder={disk.holder === 0 ? '' : nameOf(disk.holder)}>
          {disk.type === '' ? (
            'not reserved'
          ) : (
            <>
              <b>{disk.type}</b>
              {disk.holder === 0 ? '' : ` held by ${nameOf(disk.holder)}`}
            </>
          )}
        </p>
        <p class="disk-last">
          {disk.lastAction === '' ? 'no key yet' : `last: ${disk.lastAction} by ${nameOf(disk.lastBy)}`}
          <span>PRGENERATION {disk.generation}</span>
        </p>
      </div>
      <div class="disk">
        <h3>
          <span class="disk-path">/dev/sdc</span> quorum disk
        </h3>
        <ol class="blocks">
          {machines.map(([id, { name }]) => {
            const state = daemons.of(id).qdisk;
            return (
              <li
                key={id}
                class={`block block-${state || 'none'}`}
                title={`status block of ${name}: ${state || 'none'}`}
              >
                <span class="block-name">{name.replace(/^my-/, '')}</span>
                <span class="block-state">{state || '–'}</span>
              </li>
            );
          })}
        </ol>
      </div>
    </section>
  );
}
