/** Why ccs does not do what it was told. */
export class CcsComplaint extends Error {
  /** 1: it cannot be done; 2: it was not told rightly. */
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 1) {
    super(message);
    this.status = status;
  }
}
