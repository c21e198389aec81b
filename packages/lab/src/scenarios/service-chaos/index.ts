export { ServiceChaos, type ServiceChaosResult } from './service-chaos.js';
export { serviceChaosTopology } from './topology.js';
