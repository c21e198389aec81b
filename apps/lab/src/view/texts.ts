import { type Nanos, SECOND } from '@quorate/kernel';

/** `07:41.3` */
export function clockText(at: Nanos): string {
  const tenths = Math.floor(at / (SECOND / 10));
  const minutes = Math.floor(tenths / 600);
  const seconds = Math.floor(tenths / 10) % 60;
  return `${String(minutes).padStart(2, '0')}:${String(seconds).padStart(2, '0')}.${tenths % 10}`;
}

/** `21.4 s` */
export function secondsText(span: Nanos): string {
  return `${(span / SECOND).toFixed(1)} s`;
}
