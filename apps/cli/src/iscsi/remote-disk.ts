import { connectIscsi, type IscsiDisk, IscsiError, ScsiStatusError } from '@quorate/iscsi/node';
import { ConfigError } from '@quorate/kernel';
import { UsageError } from '../usage-error.js';

/** Logs in, works, and logs out. */
export async function withDisk<Result>(url: string, work: (disk: IscsiDisk) => Promise<Result>): Promise<Result> {
  const disk = await connectIscsi(url);
  try {
    return await work(disk);
  } finally {
    await disk.close();
  }
}

/** What the other side refuses, or that it is not there, is one line. */
export async function told<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isTold = error instanceof IscsiError || error instanceof ScsiStatusError || error instanceof ConfigError;
    if (isTold) throw new UsageError(`${url.replace(/%[^@/]+@/, '@')}: ${error.message}`);
    throw error;
  }
}
