export { ServiceChaos, type ServiceChaosOptions, type ServiceChaosResult } from './service-chaos.js';
export { serviceChaosTopology } from './topology.js';
