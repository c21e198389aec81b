import { type Errno, isErrno, type Task } from '@quorate/kernel';
import type { RgReply, RgRequest } from '../io.js';
import type { AgentCall } from './resource-agent.js';

/** Addresses of the service, without prefix lengths. `what` is how the log calls them. */
export function* serviceAddresses(call: AgentCall, what = 'IP Addresses'): Task<readonly string[]> {
  const service = call.parameter('service_name');
  call.log('debug', `Looking For ${what}`);
  const request: RgRequest = { kind: 'service-addresses', service };
  const reply = (yield* call.os.call('rgmanager', request)) as RgReply | Errno;
  const addresses =
    isErrno(reply) || reply.kind !== 'addresses' ? [] : reply.addresses.map((address) => address.split('/', 1)[0]!);
  call.log('debug', `${addresses.length} IP addresses found for ${service}/${call.parameter('name')}`);
  if (addresses.length > 0) call.log('debug', `Looking For ${what} > Succeed -  ${what} Found`);
  else call.log('err', `Looking For ${what} [${call.instance}] > Failed - No ${what} Found`);
  return addresses;
}
