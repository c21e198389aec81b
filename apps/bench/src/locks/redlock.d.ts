/** What is used of redlock 4, which brings no types. */
declare module 'redlock' {
  class Redlock {
    constructor(clients: readonly unknown[], options: { readonly retryCount: number });
    lock(resource: string, ttl: number): Promise<Redlock.Lock>;
  }
  namespace Redlock {
    interface Lock {
      unlock(): Promise<void>;
    }
  }
  export default Redlock;
}
